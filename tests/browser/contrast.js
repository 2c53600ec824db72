/** Measures our texts, icons and marks, and returns what has too little contrast as pairs of kind and text. */
state => {
    const TEXT = 4.5, LARGE = 3, MARK = 3;
    // WCAG exempts controls that can't be used.
    const OFF = '[aria-disabled="true"], :disabled, .not-yet, .cch-unseen, [aria-hidden="true"] .cch-skel';
    const isVisible = el => el.checkVisibility({ visibilityProperty: true, opacityProperty: true });
    const roots = [...document.querySelectorAll('.cch')].filter(each => isVisible(each) && !each.parentElement.closest('.cch'));
    const all = roots.flatMap(root => [root, ...root.querySelectorAll('*')]).filter(el => isVisible(el) && !el.closest(OFF));
    const number = text => text.endsWith('%') ? parseFloat(text) / 100 : parseFloat(text);
    // [red, green, blue, alpha], each from 0 to 1.
    function colour(css) {
        const [, kind, inner] = css.match(/^([a-z]+)\((.*)\)$/) ?? [];
        if (!kind) return css === 'transparent' ? [0, 0, 0, 0] : null;
        const parts = inner.replace('srgb ', '').split(/[\s,/]+/).filter(Boolean).map(number);
        const scale = kind === 'color' ? 1 : 255;
        return [...parts.slice(0, 3).map(part => part / scale), parts[3] ?? 1];
    }
    const over = ([r, g, b, a], under) => [r, g, b].map((part, at) => part * a + under[at] * (1 - a));
    const light = rgb => {
        const [r, g, b] = rgb.map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
        return .2126 * r + .7152 * g + .0722 * b;
    };
    const ratio = (one, other) => {
        const [less, more] = [light(one), light(other)].sort((a, b) => a - b);
        return (more + .05) / (less + .05);
    };
    const kind = el => el.closest('svg') && el.localName !== 'svg' ? kind(el.closest('svg')) : `${el.localName}.${[...el.classList].join('.')}`;
    const where = el => `${kind(el)} in ${el.parentElement ? kind(el.parentElement) : 'the page'}`;
    const ownText = el => [...el.childNodes].filter(node => node.nodeType === 3).map(node => node.data.trim()).join(' ').trim();
    const found = new Map();
    const backgrounds = new Map();
    const background = el => {
        if (!el) return [1, 1, 1];
        if (!backgrounds.has(el)) {
            // A modal dialog is drawn above a backdrop of its own.
            const under = background(el.parentElement);
            backgrounds.set(el, over(colour(window.getComputedStyle(el).backgroundColor), under));
        }
        return backgrounds.get(el);
    };
    const opacities = new Map();
    const opacity = el => {
        if (!el) return 1;
        if (!opacities.has(el)) opacities.set(el, opacity(el.parentElement) * Number(window.getComputedStyle(el).opacity));
        return opacities.get(el);
    };
    function judge(what, el, css, under, least) {
        const [r, g, b, a] = colour(css);
        const got = ratio(over([r, g, b, a * opacity(el)], under), under);
        if (got >= least - .005) return;
        const key = `${what} of ${where(el)}`;
        const example = (el.textContent || el.getAttribute('placeholder') || '').trim().slice(0, 40);
        found.set(key, `“${example}” needs ${least}: ${got.toFixed(2)} in ${state}`);
    }
    const isLarge = ({ fontSize, fontWeight }) => parseFloat(fontSize) >= 24 || parseFloat(fontSize) >= 18.66 && Number(fontWeight) >= 700;
    for (const el of all) {
        const style = window.getComputedStyle(el), under = background(el);
        if (ownText(el) && !el.closest('select')) judge('text', el, style.color, under, isLarge(style) ? LARGE : TEXT);
        if (el.matches('select, input:not([type="radio"], [type="checkbox"]), textarea')) judge('text', el, style.color, under, TEXT);
        if (el.placeholder && !el.value) judge('placeholder', el, window.getComputedStyle(el, '::placeholder').color, under, TEXT);
        if (el.localName === 'svg') judge('icon', el, style.color, under, MARK);
        if (el.matches('.cch-check')) judge('border', el, style.borderTopColor, background(el.parentElement), MARK);
        if (el.matches('.cch-prog > i, .cch-split > .kept')) judge('bar', el, style.backgroundColor, el.matches('.kept') && el.nextElementSibling ? background(el.nextElementSibling) : background(el.parentElement), MARK);
        if (el.matches('.cch-ring circle:last-of-type')) judge('ring', el, style.stroke, background(el.closest('.cch-ring')), MARK);
        if (el.matches('.cch-row.is-focus')) judge('mark', el, window.getComputedStyle(el, '::before').backgroundColor, under, MARK);
    }
    // The ring around what has the focus, on each background that it may be drawn on.
    for (const root of roots) {
        const probe = root.appendChild(document.createElement('i'));
        const mixed = (property, value) => { probe.style[property] = value; return window.getComputedStyle(probe)[property]; };
        for (const name of ['bg', 'field']) judge(`focus ring on ${name}`, root, mixed('color', 'var(--c-focus)'), over(colour(mixed('backgroundColor', `var(--c-${name})`)), background(root)), MARK);
        probe.remove();
    }
    return [...found].map(([key, example]) => [`contrast: ${key}`, example]);
}
