// Drives the demo portal with a real browser: every case at two widths, one line each, pictures of what was seen.
//
//   node run.mjs DEMO CHROMIUM FOLDER [CASE…]

import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';

import { chromium } from 'playwright-core';

import { CASES } from './cases.mjs';
import { startDemo } from './demo.mjs';
import { Payer } from './payer.mjs';

const WIDTHS = [1280, 390];
const HEIGHT = 900;
/** How many cases run at once. */
const AT_ONCE = 3;
/** How long one case may take, in milliseconds. */
const CASE_WITHIN = 60_000;

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const [program, executablePath, folder, ...chosen] = process.argv.slice(2);
if (!folder) {
  console.error('usage: node run.mjs DEMO CHROMIUM FOLDER [CASE…]');
  process.exit(2);
}

mkdirSync(folder, { recursive: true });
for (const file of readdirSync(folder)) if (file.endsWith('.png')) rmSync(path.join(folder, file));

const began = Date.now();
const demo = await startDemo(program, path.join(folder, 'demo.log'));
let browser;
const outcomes = [];
try {
  browser = await chromium.launch({ executablePath, args: FLAGS, chromiumSandbox: false });
  const work = CASES.filter(([id]) => chosen.length === 0 || chosen.includes(id)).flatMap((one) =>
    (one[3]?.widths ?? WIDTHS).map((width) => ({ one, width })),
  );
  const isAlone = ({ one }) => Boolean(one[3]?.isAlone);
  const together = work.filter((each) => !isAlone(each));
  const worker = async () => {
    for (let next = together.shift(); next; next = together.shift()) outcomes.push(await run(next));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  // These move the clock that all share.
  for (const each of work.filter(isAlone)) outcomes.push(await run(each));
} finally {
  await browser?.close();
  await demo.stop();
}

const troubles = demo.troubles();
for (const trouble of troubles) console.log(`FAILED  ${trouble}`);
const good = outcomes.filter((outcome) => outcome).length;
console.log(`browser: ${outcomes.length} cases, ${good} ok (${((Date.now() - began) / 1000).toFixed(1)} s; ${folder})`);
process.exit(good === outcomes.length && good > 0 && troubles.length === 0 ? 0 : 1);

/** One case at one width, in a browser profile of its own. */
async function run({ one: [id, title, play, options = {}], width }) {
  const context = await browser.newContext({
    viewport: { width, height: HEIGHT },
    javaScriptEnabled: !options.hasNoScript,
    reducedMotion: 'reduce',
  });
  const payer = new Payer(await context.newPage(), demo, `${id}-${width}`, folder);
  payer.hasNoScript = Boolean(options.hasNoScript);
  const start = Date.now();
  let said;
  let isGood = true;
  try {
    const late = new Promise((_, reject) => {
      setTimeout(() => reject(new Error(`not done within ${CASE_WITHIN} ms`)), CASE_WITHIN).unref();
    });
    said = await Promise.race([play(payer), late]);
    payer.isContent();
  } catch (error) {
    isGood = false;
    said = `${error.message}\n    at ${payer.page.url()}\n    ${payer.complaints.join('\n    ')}`;
    await payer.page.screenshot({ path: path.join(folder, `${id}-${width}-failed.png`) }).catch(() => {});
  }
  await context.close();
  const took = String(Date.now() - start).padStart(5);
  console.log(`${isGood ? 'ok    ' : 'FAILED'}  ${title.padEnd(34)} ${String(width).padStart(4)} px ${took} ms  ${said}`);
  return isGood;
}
