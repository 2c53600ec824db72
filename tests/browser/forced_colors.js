/** Looks at our elements in forced colours, and returns as pairs of kind and text what can no longer be told apart. */
() => {
    const isVisible = el => el.checkVisibility({ visibilityProperty: true });
    const roots = [...document.querySelectorAll('.cch')].filter(each => isVisible(each) && !each.parentElement.closest('.cch'));
    const all = roots.flatMap(root => [root, ...root.querySelectorAll('*')]).filter(el => isVisible(el) && !el.closest('.cch-unseen'));
    const CHOSEN = '[role="option"][aria-selected="true"], [role="tab"][aria-selected="true"], [aria-pressed="true"], [aria-current="true"]:not([role="option"]), label.cch-chip:has(:checked), .cch-part:has(:checked)';
    const BOXES = '.cch-btn:not(.ghost), .cch-in, .cch-search, .cch-select, .cch-num, .cch-chip, .cch-seg, .cch-menu, .cch-card, .cch-dialog, .cch-panel.large, .cch-nums > div, .cch-thumb, .cch-check';
    const style = (el, pseudo) => window.getComputedStyle(el, pseudo);
    const isDrawn = (width, kind) => kind !== 'none' && parseFloat(width) >= 1;
    const border = el => isDrawn(style(el).borderTopWidth, style(el).borderTopStyle) && isDrawn(style(el).borderBottomWidth, style(el).borderBottomStyle);
    const outline = el => isDrawn(style(el).outlineWidth, style(el).outlineStyle);
    const behind = el => {
        for (let at = el; at; at = at.parentElement) if (!/^rgba\(.*, 0\)$|^transparent$/.test(style(at).backgroundColor)) return style(at).backgroundColor;
        return 'rgb(255, 255, 255)';
    };
    const kind = el => `${el.localName}.${[...el.classList].join('.')}`;
    const found = new Map();
    const report = (what, el) => found.set(`forced colours: ${what}: ${kind(el)}`, (el.getAttribute('aria-label') || el.textContent || '').trim().slice(0, 40));
    for (const el of all) {
        if (el.matches(CHOSEN) && !outline(el) && !(border(el) && parseFloat(style(el).borderTopWidth) >= 2)) report('looks like one that is not chosen', el);
        if (el.matches(BOXES) && !border(el) && !outline(el)) report('has no border', el);
        if (el.matches('[role="option"].is-focus') && style(el, '::before').backgroundColor === behind(el)) report('has no mark of the current row', el);
        if (el.matches('.cch-prog > i, .cch-split > .kept') && style(el).backgroundColor === (el.matches('.kept') && el.nextElementSibling ? behind(el.nextElementSibling) : behind(el.parentElement))) report('the bar looks empty', el);
        // What goes and what stays, in the bar of Clean up and in its legend.
        if (el.matches('.cch-split > i, .cch-legend i') && style(el).backgroundColor === behind(el.parentElement)) report('the part has no colour', el);
        if (el.matches('.cch-split > .kept') && el.previousElementSibling && style(el).backgroundColor === style(el.previousElementSibling).backgroundColor) report('the parts look alike', el);
        if (el.matches('.cch-ring circle') && !window.CSS.supports('color', style(el).stroke)) report('the ring has no colour', el);
        if (el.matches('.cch-ring circle:last-of-type') && style(el).stroke === style(el.previousElementSibling).stroke) report('the ring looks empty', el);
        const isTicked = el.matches('.cch-check') && (el.getAttribute('aria-checked') ?? el.previousElementSibling?.checked?.toString() ?? el.closest('[aria-selected]')?.getAttribute('aria-selected')) === 'true';
        if (isTicked) {
            const tick = el.querySelector('svg');
            if (!tick || style(tick).visibility !== 'visible' || style(tick).color === behind(el)) report('the tick can’t be seen', el);
        }
    }
    if (roots.length) {
        // Where the focus is, its outline must be drawn in a colour of the system.
        const focused = document.activeElement;
        if (focused?.matches('.cch :is(button, a, select, summary):focus-visible') && !outline(focused)) report('the focus can’t be seen', focused);
    }
    return [...found];
}
