/** Gives the open panel each width in turn (null leaves its own), and returns what is wrong there as pairs of width and text. */
async ({ widths, height, everyText }) => {
    const CONTROLS = 'button, a[href], input, select, summary, textarea, label, [data-do], .cch-title, .cch-count > .cch-grow, .cch-row .lock';
    const SLACK = 1.5;
    const settings = [...document.querySelectorAll('.cch-setting')].filter(el => el.checkVisibility());
    const root = commonParent(settings) ?? ['dialog.cch-viewer[open]', '.cch-dialog', '.cch-panel.large', '.cch-panel'].map(each => document.querySelector(each)).find(Boolean);
    const language = (root.closest('[lang]') ?? root).lang;
    const isRightToLeft = /^(ar|fa|he)\b/.test(language);
    const before = root.getAttribute('style') ?? '';
    const frames = async n => { for (let i = 0; i < n; i++) await new Promise(go => window.requestAnimationFrame(go)); };
    const name = el => `${el.localName}.${[...el.classList].join('.')} “${(el.getAttribute('aria-label') || el.textContent || '').trim().slice(0, 40)}”`;
    const isShown = el => el.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && !el.closest('.cch-unseen, svg:not(.lock)');
    function commonParent([first, ...others]) {
        let parent = first?.parentElement;
        while (parent && !others.every(el => parent.contains(el))) parent = parent.parentElement;
        return parent;
    }
    const topLayer = () => [...root.querySelectorAll('.cch-menu')].at(-1) ?? root.querySelector('.cch-over') ?? root;
    const inside = (a, b) => ({ left: Math.max(a.left, b.left), top: Math.max(a.top, b.top), right: Math.min(a.right, b.right), bottom: Math.min(a.bottom, b.bottom) });
    const box = el => { const { left, top, right, bottom } = el.getBoundingClientRect(); return { left, top, right, bottom }; };
    const inner = el => {
        const r = el.getBoundingClientRect();
        const left = r.left + el.clientLeft, top = r.top + el.clientTop;
        return { left, top, right: left + el.clientWidth, bottom: top + el.clientHeight };
    };
    const beyond = (a, b, axis) => axis === 'x' ? a.left < b.left - SLACK || a.right > b.right + SLACK : a.top < b.top - SLACK || a.bottom > b.bottom + SLACK;
    // The part of a control that can be seen, "cut" if a parent that cannot be scrolled cuts it, or null if it is scrolled out of view.
    function seen(el) {
        let rect = box(el);
        for (let parent = el.parentElement; parent && root.contains(parent); parent = parent.parentElement) {
            const style = window.getComputedStyle(parent);
            if (style.display === 'contents') continue;
            for (const axis of ['x', 'y']) {
                const overflow = axis === 'x' ? style.overflowX : style.overflowY;
                if (overflow === 'visible') continue;
                const frame = inner(parent);
                if (!beyond(rect, frame, axis)) continue;
                if (overflow === 'hidden' || overflow === 'clip') return 'cut';
                rect = inside(rect, axis === 'x' ? { ...frame, top: -1e6, bottom: 1e6 } : { ...frame, left: -1e6, right: 1e6 });
                if (rect.right - rect.left < 2 || rect.bottom - rect.top < 2) return null;
                rect.partly = true;
            }
        }
        return rect;
    }
    const isInline = el => window.getComputedStyle(el).display === 'inline';
    function textCut(el) {
        if (el.matches('input, select, textarea, .cch-check')) return false;
        for (const part of [el, ...el.querySelectorAll('*')]) {
            if (!part.clientWidth || part.closest('svg, .cch-unseen, .cch-cut, .cch-name, .cch-check') || isInline(part) || !isShown(part)) continue;
            if (part.matches('label, fieldset')) continue;
            if (part.scrollWidth > part.clientWidth + SLACK) return true;
        }
        return false;
    }
    function widthOfText(el) {
        const range = document.createRange();
        range.selectNodeContents(el);
        return range.getBoundingClientRect().width;
    }
    const RTL = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/;
    const DRAWN = /[^\s\u200b-\u200f\u2066-\u2069]/;
    function* textsOf(layer) {
        const texts = document.createTreeWalker(layer, window.NodeFilter.SHOW_TEXT);
        for (let node = texts.nextNode(); node; node = texts.nextNode()) if (DRAWN.test(node.data) && !node.parentElement.closest('select') && isShown(node.parentElement)) yield node;
    }
    // Words run in the direction of the language. Names, ids and what only the server words run from left to right, unless their letters are
    // Hebrew or Arabic.
    function* reordered(layer) {
        const range = document.createRange();
        const edge = (node, at) => { range.setStart(node, at); range.setEnd(node, at + 1); return range.getBoundingClientRect(); };
        for (const node of textsOf(layer)) {
            const { data } = node;
            const turns = RTL.test(data);
            if (turns && (!isRightToLeft || node.parentElement.closest('.cch-name')) || isRightToLeft && !/\p{L}/u.test(data)) continue;
            let start = 0, end = data.length - 1;
            while (!DRAWN.test(data[start])) start += 1;
            while (!DRAWN.test(data[end])) end -= 1;
            if (end <= start) continue;
            const first = edge(node, start), last = edge(node, end);
            if (first.width && last.width && Math.abs(first.top - last.top) < 2 && (turns ? first.right < last.right : first.left > last.left)) yield node;
        }
    }
    // What people wrote and ids may be cut, and so may what only the server words. Our own words may not.
    const MAY_BE_CUT = '.cch-name, .cch-cut, .cch-err, code, pre, .cch-unseen';
    const DRAWS_NO_BOX = new Set(['inline', 'contents']);
    function* cutTexts(layer) {
        const range = document.createRange();
        for (const node of textsOf(layer)) {
            if (node.parentElement.closest(MAY_BE_CUT)) continue;
            range.selectNodeContents(node);
            const text = range.getBoundingClientRect();
            let isNearest = true;
            for (let parent = node.parentElement; parent && root.contains(parent); parent = parent.parentElement) {
                const { display, overflowX, overflowY, visibility } = window.getComputedStyle(parent);
                if (DRAWS_NO_BOX.has(display) || visibility === 'hidden') continue;
                const frame = isNearest ? parent.getBoundingClientRect() : inner(parent);
                if ((isNearest || overflowX !== 'visible' || parent === root) && beyond(text, frame, 'x')) { yield [node, overflowX === 'visible' ? 'is wider than its box' : 'is cut']; break; }
                // The boxes of letters are higher than their lines in some fonts.
                if ((overflowY === 'hidden' || overflowY === 'clip' || isNearest && overflowY === 'visible') && (text.top < frame.top - 4 || text.bottom > frame.bottom + 4)) { yield [node, 'is higher than its box']; break; }
                if (overflowX !== 'visible' || overflowY !== 'visible') break;
                isNearest = false;
            }
        }
    }
    const pen = document.createElement('canvas').getContext('2d');
    function widthOf(text, el) {
        const { font, letterSpacing } = window.getComputedStyle(el);
        pen.font = font;
        pen.letterSpacing = letterSpacing;
        return pen.measureText(text).width;
    }
    // Browsers cut the text of a choice and the hint in an empty field without a sign.
    function* cutFields(layer) {
        for (const el of layer.querySelectorAll('.cch-select, input[placeholder]')) {
            if (!isShown(el)) continue;
            const { paddingLeft, paddingRight } = window.getComputedStyle(el);
            const room = el.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight);
            const texts = el.localName === 'input' ? [el.value ? '' : el.placeholder] : (el.closest('.cch-panel') ? [...el.selectedOptions] : [...el.options]).map(option => option.text);
            for (const text of texts) if (widthOf(text, el) > room + SLACK) yield [el, text];
        }
    }
    function faults() {
        const found = [];
        const layer = topLayer();
        const all = [...layer.querySelectorAll(CONTROLS)].filter(el => isShown(el) && !el.closest('[hidden]') && !el.matches('label input, label.cch-lab')
            && (layer !== root || !el.closest('.cch-menu, .cch-over')));
        const rects = [];
        for (const el of all) {
            const rect = seen(el);
            if (rect === 'cut') { found.push(`${name(el)} is cut`); continue; }
            if (!rect) continue;
            rects.push([el, rect]);
            if (textCut(el)) found.push(`the text of ${name(el)} is cut`);
            const x = (rect.left + rect.right) / 2, y = (rect.top + rect.bottom) / 2;
            // ComfyUI's toasts may cover anything for a while.
            const top = document.elementFromPoint(x, y);
            const hit = root.contains(top) ? top : document.elementsFromPoint(x, y).find(each => root.contains(each));
            // Headings and cards stay in view while what is below them scrolls.
            const covers = hit && hit.closest('.cch-day, .cch-cards');
            if (!hit || !(el.contains(hit) || hit.contains(el)) && !(rect.partly || covers)) found.push(`${name(el)} is covered by ${hit ? name(hit) : 'nothing'}`);
        }
        for (const [at, [a, one]] of rects.entries()) for (const [b, other] of rects.slice(at + 1)) {
            if (a.contains(b) || b.contains(a) || a.closest('.cch-row') && b.closest('.cch-row') && a.closest('.cch-row') !== b.closest('.cch-row')) continue;
            if (!a.closest('.cch-cards') !== !b.closest('.cch-cards')) continue;
            const both = inside(one, other);
            if (both.right - both.left > SLACK && both.bottom - both.top > SLACK) found.push(`${name(a)} and ${name(b)} overlap`);
        }
        for (const day of layer.querySelectorAll('.cch-day > div')) {
            const { lineHeight, paddingTop, paddingBottom } = window.getComputedStyle(day);
            if (isShown(day) && day.offsetHeight > parseFloat(lineHeight) + parseFloat(paddingTop) + parseFloat(paddingBottom) + SLACK) found.push('the heading of a day has more than one line, and covers a row');
        }
        for (const begin of layer.querySelectorAll('.cch-name > span:first-child')) {
            if (isShown(begin) && begin.textContent.trim().length > 3 && begin.getBoundingClientRect().width < 1.5 * parseFloat(window.getComputedStyle(begin).fontSize)) found.push(`the beginning of ${name(begin.parentElement)} can’t be seen`);
        }
        for (const end of layer.querySelectorAll('.cch-name > span:first-child + span:not(.cch-unseen)')) {
            const begin = end.previousElementSibling, em = parseFloat(window.getComputedStyle(end).fontSize);
            if (end.textContent && isShown(end) && begin.getBoundingClientRect().width > 2.5 * em && widthOfText(end) > end.getBoundingClientRect().width + .02) found.push(`the end of ${name(end.parentElement)} is cut, and its beginning is not`);
        }
        const rem = parseFloat(window.getComputedStyle(document.documentElement).fontSize);
        const tabs = [...layer.querySelectorAll('.cch-tab')].filter(isShown);
        if (root.clientWidth > 18.5 * rem && new Set(tabs.map(tab => tab.offsetTop)).size > 1) found.push('the tabs have more than one line');
        for (const link of layer.querySelectorAll('.cch-actions > .cch-link')) {
            if (isShown(link) && root.clientWidth > 45 * rem && link.offsetHeight > 2 * rem) found.push(`${name(link)} has more than one line`);
        }
        // English does not run from right to left, but the layout is tried with it.
        const isUsual = isRightToLeft === (window.getComputedStyle(root).direction === 'rtl');
        if (isUsual) for (const { parentElement } of reordered(layer)) found.push(`the words of ${name(parentElement)} are in another order`);
        if (everyText) for (const [{ parentElement }, fault] of cutTexts(layer)) found.push(`the text of ${name(parentElement)} ${fault}`);
        if (everyText) for (const [el, text] of cutFields(layer)) found.push(`${name(el)} cuts “${text}”`);
        const wide = root.scrollWidth > root.clientWidth + SLACK;
        if (wide) found.push(`the panel is ${root.scrollWidth} px wide inside`);
        return found;
    }
    const lines = [];
    for (const width of widths) {
        if (width !== null) root.style.cssText = `${before}; position: fixed; top: 0; left: 0; z-index: 99999; width: ${width}px; height: ${height}px; max-width: none;`;
        await frames(3);
        for (const fault of new Set(faults())) lines.push([width, fault]);
    }
    root.setAttribute('style', before);
    await frames(2);
    return lines;
}
