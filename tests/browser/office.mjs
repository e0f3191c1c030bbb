// What accounting corrects in single orders, and what two people decide.

import assert from 'node:assert/strict';

import { ACCOUNTANT, approved, enter, goToBank, payFirst, pressOn, rows } from './instalments.mjs';
import { CARDS, cents } from './payer.mjs';

const FEE = 377_000;
/** The fee of a gap year in three, in cents. */
const GAP_YEAR = 61_800;
const FIRST = 20_598;

const COLLEAGUE = 'Marc Le Goff';

/** Opens accounting's page of the present order. */
async function openOrder(payer) {
  await payer.open(`/comptabilite/commandes/${payer.order}`);
  await payer.page.locator('#reste').waitFor();
}

/** Fills in one of the order's forms and sends it; the page comes back, or says why not. */
async function correct(payer, action, fields, refusal) {
  for (const [name, value] of Object.entries(fields)) {
    const control = payer.page.locator(`#${action}-${name}`);
    if ((await control.evaluate((element) => element.tagName)) === 'SELECT') await control.selectOption(value);
    else await control.fill(value);
  }
  if (refusal) payer.expected.push(refusal);
  await payer.page.locator(`form[action$="/${action}"] button`).click();
  await payer.page.waitForLoadState();
  await payer.page.locator(refusal ? '#refus' : '#reste').waitFor();
  assert.equal(await payer.page.locator('#refus').count(), refusal ? 1 : 0, `${action}: refused`);
}

/** Waits until the last correction of the order has come to its end. */
async function until(payer, outcome) {
  const last = async () => (await rows(payer, 'corrections')).at(-1).at(-1);
  for (let left = 40; left > 0 && (await last()) !== outcome; left -= 1) {
    await payer.page.waitForTimeout(250);
    await openOrder(payer);
  }
  assert.equal(await last(), outcome);
}

async function credited(payer) {
  await approved(payer, 'D4', '3x');
  await goToBank(payer);
  await pressOn(payer);
  await payFirst(payer, CARDS.frictionless);
  await payer.verdict('Paiement accepté', 12);
  await enter(payer);
  await payer.open('/comptabilite/commandes');
  await payer.page.locator(`a[href$="/${payer.order}"]`).click();
  await payer.page.locator('#reste').waitFor();
  await payer.look('commande');
  await correct(payer, 'avoir', { montant: 'trois cents', motif: 'un module de moins' }, 422);
  assert.match(await payer.text('#refus'), /500,00/);
  await correct(payer, 'avoir', { montant: '99 999', motif: 'un module de moins' }, 409);
  const why = await payer.text('#refus');
  await payer.look('avoir-refuse');
  await correct(payer, 'avoir', { montant: '300,00', motif: 'un module de <b>moins' });
  assert.equal(await payer.cents('#du'), GAP_YEAR - 30_000, 'owed');
  const dues = await rows(payer, 'echeances');
  assert.deepEqual(dues.map(([, , amount]) => cents(amount)), [FIRST, 11_202, 0], 'from the last instalment backwards');
  assert.equal(dues[2][3], 'Annulée par un avoir');
  assert.deepEqual((await rows(payer, 'corrections'))[0].slice(1, 5), ['Avoir', '300,00 €', 'un module de <b>moins', ACCOUNTANT]);
  await correct(payer, 'suspension', {});
  assert.equal(await payer.text('#etat'), 'Prélèvements arrêtés');
  await correct(payer, 'reprise', {});
  assert.equal(await payer.text('#etat'), 'Financée par un échéancier');
  await correct(payer, 'annulation', { motif: 'départ' });
  assert.equal(await payer.cents('#reste'), 0, 'left to pay');
  assert.equal(await payer.text('#etat'), 'Soldée');
  await payer.look('reste-annule');
  await payer.open('/position');
  assert.equal(await payer.cents('#position'), 0, 'position');
  assert.match(await payer.text('#preuve'), /encaissé 205,98.*avoirs 412,02.*facturé 618,00.*= 0,00/);
  await payer.look('position');
  const { totals } = await payer.demo.ledger(payer.order);
  assert.equal(totals.net, FIRST, 'at the bank');
  return `205.98 paid; credited 300.00, paused, resumed, rest cancelled; « ${why.slice(0, 50)}… »`;
}

/** An order of the normal fee that is paid at once, on accounting's page. */
async function paidAtOffice(payer) {
  await payer.choose('D1');
  await payer.goToBank();
  await payer.typeCard(CARDS.ordinary);
  await payer.returnToShop();
  await payer.isPaid(FEE);
  await enter(payer);
  await openOrder(payer);
}

async function refunded(payer) {
  await paidAtOffice(payer);
  const fields = { contre: 'credit_note', motif: 'désistement' };
  await correct(payer, 'remboursement', { ...fields, montant: '1 000,00' });
  await until(payer, 'fait');
  assert.equal(await payer.cents('#rendu'), 100_000, 'given back');
  await payer.look('rembourse-en-partie');
  await correct(payer, 'remboursement', { ...fields, montant: '2770' });
  await until(payer, 'fait');
  await correct(payer, 'remboursement', { ...fields, montant: '0,01' }, 409);
  const why = await payer.text('#refus');
  await payer.look('rembourse');
  const { totals } = await payer.demo.ledger(payer.order);
  assert.deepEqual([totals.captured, totals.refunded, totals.net], [FEE, FEE, 0], 'at the bank');
  await payer.hasPosition(2 * FEE, 2 * FEE);
  return `1000.00, then 2770.00 given back, 0.01 « ${why.slice(0, 50)}… »; ledger 0.00`;
}

async function contested(payer) {
  await paidAtOffice(payer);
  await correct(payer, 'contestation', { motif: 'relevé du 10' });
  assert.match(await payer.text('#bloquee'), /impayé/);
  assert.equal(await payer.cents('#reste'), FEE, 'left to pay');
  await correct(payer, 'contestation', { motif: 'relevé du 10' }, 409);
  await payer.look('contestation');
  await payer.open('/position');
  assert.equal(await payer.cents('#position'), -FEE, 'position');
  await payer.open(`/commandes/${payer.order}`);
  await payer.goToBank();
  await payer.typeCard(CARDS.frictionless);
  await payer.returnToShop();
  await payer.verdict('Paiement accepté', 12);
  await openOrder(payer);
  assert.equal(await payer.text('#bloquee'), '–', 'blocked');
  await payer.open('/position');
  assert.equal(await payer.cents('#position'), 0, 'position');
  return 'taken back: blocked, −3770.00; paid again: position 0.00';
}

/** What the present order has in quarantine. */
function waiting(payer) {
  return payer.page.locator('section.request', { has: payer.page.locator(`a[href$="/${payer.order}"]`) });
}

async function giveVerdict(payer, verdict, refusal) {
  await payer.open('/comptabilite/quarantaine');
  await waiting(payer).locator('select').selectOption(verdict);
  await waiting(payer).locator('input[name=preuve]').fill('vu dans le back-office');
  if (refusal) payer.expected.push(refusal);
  await waiting(payer).locator('button').click();
  await payer.page.waitForLoadState();
  assert.equal(await payer.page.locator('#refus').count(), refusal ? 1 : 0, `${verdict}: refused`);
}

async function decided(payer) {
  await paidAtOffice(payer);
  await payer.demo.whileRefundsAreRefused(payer.order, async () => {
    await correct(payer, 'remboursement', { montant: '1000', contre: 'credit_note', motif: 'désistement' });
    await until(payer, 'à décider');
  });
  await giveVerdict(payer, 'executed', 422);
  await payer.look('avis-faux');
  await giveVerdict(payer, 'closed');
  assert.match((await waiting(payer).locator('li').allInnerTexts()).join(), new RegExp(`^${ACCOUNTANT}.*rien de plus`));
  await payer.look('un-avis');
  // The same person at another desk, and another person at the same desk.
  await enter(payer, COLLEAGUE, '1');
  await giveVerdict(payer, 'closed', 409);
  const why = await payer.text('#refus');
  await payer.look('meme-poste');
  await payer.press('Changer de personne');
  await enter(payer, ACCOUNTANT, '2');
  await giveVerdict(payer, 'closed', 409);
  await enter(payer, COLLEAGUE, '2');
  await giveVerdict(payer, 'closed');
  assert.equal(await waiting(payer).count(), 0, 'it waits no longer');
  await openOrder(payer);
  await until(payer, 'abandonné');
  await payer.look('decide');
  const { totals } = await payer.demo.ledger(payer.order);
  assert.equal(totals.net, FEE, 'at the bank');
  return `one verdict alone: nothing; « ${why.slice(0, 60)}… »; two people, two desks: decided`;
}

export const OFFICE = [
  ['avoir', 'credit note, pause, rest cancelled', credited],
  ['remboursement', 'refunded in part, then whole', refunded, { widths: [1280] }],
  ['contestation', 'chargeback, paid again', contested, { widths: [390] }],
  ['quarantaine', 'two people clear a quarantine', decided],
];
