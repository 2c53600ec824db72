"""Find faults in how a dialog of this pack is drawn: other boxes, cut-off content, wrong size or place."""

from __future__ import annotations

from playwright.async_api import Page

FOCUS_SECONDS = 3
# Pixels. Browsers round positions and sizes.
TOLERANCE = 4

MEASURE = r"""(selector) => {
    const root = [...document.querySelectorAll(selector)].at(-1);
    if (!root) return null;
    const faults = new Set();
    const box = root.getBoundingClientRect();
    const isSeen = (colour) => !/, 0\)$|\/ 0\)$|^transparent$/.test(colour);
    const hasBorder = (style) => ['Top', 'Right', 'Bottom', 'Left'].some(
        (side) => parseFloat(style[`border${side}Width`]) > 0 && isSeen(style[`border${side}Color`]));
    const hasShadow = (style) => style.boxShadow.split(/,(?![^(]*\))/).some((shadow) => {
        const colour = shadow.match(/[a-z]+\([^)]*\)/)?.[0] ?? 'transparent';
        return isSeen(colour) && /[1-9]/.test(shadow.replace(colour, ''));
    });
    const size = ({ width, height }) => `${Math.round(width)} x ${Math.round(height)}`;
    const isWithin = ({ left, right, top, bottom }) =>
        box.left >= left - 1 && box.right <= right + 1 && box.top >= top - 1 && box.bottom <= bottom + 1;
    for (let above = root.parentElement; above !== document.body; above = above.parentElement) {
        const frame = above.getBoundingClientRect();
        const style = getComputedStyle(above);
        const by = `by <${above.localName} class="${above.className.slice(0, 60)}">`;
        const cuts = style.overflowX !== 'visible' || style.overflowY !== 'visible';
        if (cuts && !isWithin(frame)) faults.add(`the dialog is cut off ${by}`);
        if (!above.closest('[role=dialog]')) continue;
        if (hasBorder(style)) faults.add(`a border is drawn around the dialog ${by}`);
        if (isSeen(style.backgroundColor)) faults.add(`a background is drawn behind the dialog ${by}`);
        if (hasShadow(style)) faults.add(`a shadow is drawn around the dialog ${by}`);
        if (Math.abs(frame.width - box.width) > TOLERANCE || Math.abs(frame.height - box.height) > TOLERANCE)
            faults.add(`the dialog is ${size(box)} in a box of ${size(frame)} ${by}`);
    }
    if (!isWithin({ left: 0, right: innerWidth, top: 0, bottom: innerHeight }))
        faults.add('the dialog reaches beyond the window');
    const right = Math.round(box.left + box.width / 2 - innerWidth / 2);
    const below = Math.round(box.top + box.height / 2 - innerHeight / 2);
    if (Math.abs(right) > TOLERANCE) faults.add(`the dialog is ${right} px right of the middle of the window`);
    if (Math.abs(below) > TOLERANCE) faults.add(`the dialog is ${below} px below the middle of the window`);
    for (const [x, y] of [[.5, .5], [.03, .5], [.97, .5], [.5, .03], [.5, .97]]) {
        const hit = document.elementFromPoint(box.left + x * box.width, box.top + y * box.height);
        if (!root.contains(hit)) faults.add(`something covers the dialog: ${hit?.outerHTML.slice(0, 120)}`);
    }
    for (const part of root.querySelectorAll('.cch-dh, .cch-db, .cch-df, .cch-thead, .cch-list, .cch-btn, h2'))
        if (part.scrollWidth > part.clientWidth + 1)
            faults.add(`"${part.textContent.slice(0, 40)}" does not fit its width`);
    if (getComputedStyle(root).borderTopLeftRadius !== '16px') faults.add('the dialog has no style sheet');
    return [...faults];
}""".replace("TOLERANCE", str(TOLERANCE))

FOCUS = """() => {
    const active = document.activeElement;
    const words = active?.getAttribute('aria-label') || active?.textContent || active?.className;
    return !active || active === document.body ? 'nothing' : words.trim().slice(0, 60);
}"""


async def faults_of_box(page: Page, selector: str = ".cch-dialog") -> list[str]:
    """Return a description of each fault of the topmost dialog of this pack."""
    found: list[str] | None = await page.evaluate(MEASURE, selector)
    return ["the dialog is not there"] if found is None else found


async def focused(page: Page) -> str:
    """Return the text of the element that has the focus."""
    words: str = await page.evaluate(FOCUS)
    return words
