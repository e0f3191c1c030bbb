// What every page has to be: in a declared language, labelled, legible, no wider than its screen.

import assert from 'node:assert/strict';

/** The smallest contrast of text to its ground that WCAG AA allows for ordinary sizes. */
const CONTRAST_MIN = 4.5;

/** Looks at the page as it stands; `isOurs` tells the portal's pages from the gateway's and PAYBOX's. */
export async function checkPage(page, { language, isOurs }) {
  const seen = await page.evaluate(survey);
  const where = page.url().split('?')[0];
  assert.equal(seen.language, language, `${where}: lang`);
  assert.ok(seen.title.trim().length > 0, `${where}: a title`);
  assert.equal(seen.headings, 1, `${where}: one h1`);
  assert.ok(seen.landmarks.includes('MAIN'), `${where}: a main landmark`);
  assert.deepEqual(seen.unlabelled, [], `${where}: controls without a label`);
  assert.deepEqual(seen.doubled, [], `${where}: ids that stand twice`);
  assert.deepEqual(seen.dangling, [], `${where}: references to ids that are not there`);
  assert.ok(seen.scrollWidth <= seen.width, `${where}: ${seen.scrollWidth} px wide on a screen of ${seen.width}`);
  if (isOurs) {
    for (const landmark of ['HEADER', 'NAV', 'FOOTER']) {
      assert.ok(seen.landmarks.includes(landmark), `${where}: a ${landmark} landmark`);
    }
    const faint = seen.texts.filter(({ contrast }) => contrast < CONTRAST_MIN);
    assert.deepEqual(faint, [], `${where}: text that is hard to read`);
    assert.deepEqual(seen.small, [], `${where}: targets too small for a finger`);
  }
}

/** Walks the page by the Tab key; everything that is reached shows it. Says how many stops there were. */
export async function checkFocus(page) {
  const seen = new Set();
  for (let step = 0; step < 80; step += 1) {
    await page.keyboard.press('Tab');
    const stop = await page.evaluate(focused);
    if (!stop || seen.has(stop.place)) break;
    seen.add(stop.place);
    assert.ok(stop.style !== 'none' && stop.width >= 2, `${page.url()}: focus cannot be seen on ${stop.path}`);
    assert.ok(stop.isOnScreen, `${page.url()}: focus is off the screen on ${stop.path}`);
  }
  assert.ok(seen.size > 3, `${page.url()}: only ${seen.size} stops of the Tab key`);
  return seen.size;
}

// The two functions below run in the page.

function survey() {
  const all = (selector) => [...document.querySelectorAll(selector)];
  const isShown = (element) => element.checkVisibility() && element.getClientRects().length > 0;
  const ids = all('[id]').map((element) => element.id);
  const controls = all('input:not([type=hidden]), select, textarea');
  const name = (element) => element.getAttribute('aria-label') ?? [...(element.labels ?? [])].map((l) => l.textContent).join(' ');
  const rgb = (text) => (text.match(/[\d.]+/g) ?? []).map(Number);
  const luminance = (colour) => {
    const [red, green, blue] = colour.slice(0, 3).map((part) => {
      const share = part / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = rgb(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const contrast = (element) => {
    const [light, dark] = [luminance(rgb(getComputedStyle(element).color)), luminance(ground(element))].sort((a, b) => b - a);
    return Math.round(((light + 0.05) / (dark + 0.05)) * 100) / 100;
  };
  const hasText = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
  return {
    language: document.documentElement.lang,
    title: document.title,
    headings: all('h1').length,
    landmarks: all('header, nav, main, footer').map((element) => element.tagName),
    unlabelled: controls.filter((element) => !name(element).trim()).map((element) => element.outerHTML),
    doubled: ids.filter((id, place) => ids.indexOf(id) !== place),
    dangling: all('[aria-describedby], label[for], a[href^="#"]')
      .map((e) => e.getAttribute('aria-describedby') ?? e.getAttribute('for') ?? e.getAttribute('href').slice(1))
      .filter((id) => !ids.includes(id)),
    width: window.innerWidth,
    scrollWidth: document.documentElement.scrollWidth,
    texts: all('body *')
      .filter((element) => hasText(element) && isShown(element))
      .map((element) => ({ text: element.textContent.trim().slice(0, 40), contrast: contrast(element) })),
    small: all('button, a.button, main label, nav a')
      .filter((element) => isShown(element) && element.matches(':not(.plain, .field label)'))
      .filter((element) => element.getBoundingClientRect().height < 24)
      .map((element) => element.textContent.trim()),
  };
}

function focused() {
  const element = document.activeElement;
  if (!element || element === document.body) return null;
  const { outlineStyle, outlineWidth } = getComputedStyle(element);
  const box = element.getBoundingClientRect();
  return {
    path: element.outerHTML.slice(0, 120),
    place: [...document.querySelectorAll('*')].indexOf(element),
    style: outlineStyle,
    width: Number.parseFloat(outlineWidth),
    isOnScreen: box.bottom > 0 && box.top < window.innerHeight && box.right > 0 && box.left < window.innerWidth,
  };
}
