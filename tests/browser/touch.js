/** Measures our controls for fingers, and returns as pairs of kind and text which are too small or can't be reached. */
() => {
    const LEAST = 24, SLACK = .6;
    if (!window.matchMedia('(pointer: coarse)').matches) throw new Error('this page has no touch screen');
    const isVisible = el => el.checkVisibility({ visibilityProperty: true });
    const roots = [...document.querySelectorAll('.cch')].filter(each => isVisible(each) && !each.parentElement.closest('.cch'));
    const CONTROLS = 'button, a[href], select, summary, input:not([type="radio"], [type="checkbox"]), label:has(input), .cch-pick, [role="menuitem"]';
    const kind = el => `${el.localName}.${[...el.classList].join('.')}`;
    const found = new Map();
    const name = el => (el.getAttribute('aria-label') || el.textContent || el.placeholder || '').trim().slice(0, 40);
    // A pseudo-element makes the target larger than what is drawn.
    const size = el => {
        const { width, height } = el.getBoundingClientRect();
        const before = window.getComputedStyle(el, '::before');
        if (before.content === 'none' || before.position !== 'absolute') return [width, height];
        return [Math.max(width, parseFloat(before.width) || 0), Math.max(height, parseFloat(before.height) || 0)];
    };
    for (const root of roots) for (const el of root.querySelectorAll(CONTROLS)) {
        if (!isVisible(el) || el.closest('.cch-unseen')) continue;
        // A field fills the box that is drawn around it, and a label makes its field larger.
        const target = el.matches('input') ? el.closest('label:not(.cch-lab), .cch-in, .cch-search') ?? el : el;
        // WCAG exempts links within a sentence.
        if (el.matches('a') && window.getComputedStyle(el).display === 'inline') continue;
        if (el.matches('label.cch-lab')) continue;
        const [width, height] = size(target);
        if (width < LEAST - SLACK || height < LEAST - SLACK) found.set(`touch: ${kind(el)} in ${kind(el.parentElement)} is too small`, `“${name(el)}” ${width.toFixed(1)} × ${height.toFixed(1)} px`);
    }
    // The buttons of the current row are shown without a pointer that hovers.
    for (const row of document.querySelectorAll('.cch-row.is-focus')) {
        const buttons = row.querySelector('.cch-acts');
        if (buttons && isVisible(row) && window.getComputedStyle(buttons).display === 'none') found.set('touch: the buttons of the current row are hidden', name(row));
    }
    return [...found];
}
