// Paying in instalments: what a student asks for and pays, what accounting answers and debits.

import assert from 'node:assert/strict';

import { CARDS, cents } from './payer.mjs';

/** The fee of a gap year in three, in cents. */
const GAP_YEAR = 61_800;
const THIRDS = [20_598, 20_598, 20_604];

export const ACCOUNTANT = 'Jeanne Éluard';

/** Asks for a plan on entry 2b. */
async function ask(payer, template) {
  await payer.open('/echelonnement');
  await payer.page.locator(`input[name=formule][value="${template}"]`).check();
  await payer.page.locator('form[action="/echelonnement"] button').click();
  await payer.page.waitForLoadState();
}

async function state(payer, expected) {
  assert.equal(await payer.text('#demande'), expected, 'how the request stands');
}

/** Signs in at the accounting office as this person, at this desk, unless they are there already. */
export async function enter(payer, person = ACCOUNTANT, desk = '1') {
  await payer.open('/comptabilite');
  const agent = payer.page.locator('#agent');
  if ((await agent.count()) && (await payer.text('#agent')) !== person) {
    await payer.press('Changer de personne');
    await payer.page.locator('#nom').waitFor();
  }
  const name = payer.page.locator('#nom');
  if (await name.count()) {
    await payer.look('comptabilite-nom');
    await name.fill(person);
    await payer.page.locator('#poste').selectOption(desk);
    await payer.page.locator('main button').click();
    await agent.waitFor();
  }
  assert.equal(await payer.text('#agent'), person, 'who acts');
}

function answerForm(payer, answer) {
  return payer.page.locator(`form[action="/comptabilite/demandes/${payer.order}/${answer}"]`);
}

async function approve(payer) {
  await enter(payer);
  await answerForm(payer, 'accord').locator('button').click();
  await payer.page.waitForURL('**/comptabilite');
  assert.equal(await answerForm(payer, 'accord').count(), 0, 'it waits no longer');
}

/** From nothing to an approved plan. */
export async function approved(payer, category, template) {
  await payer.choose(category);
  await ask(payer, template);
  await approve(payer);
  await payer.open('/echeances');
  await payer.page.waitForURL('**/echeances');
}

/** From the offer by the gateway's own page, which has no script, to PAYBOX. */
export async function goToBank(payer) {
  await payer.page.locator('#accord').check();
  await payer.page.locator(`form[action="/commandes/${payer.order}/echeances"] button`).click();
  await payer.page.waitForURL(`${payer.demo.gateway}/pay/**`);
  await payer.page.locator('main form button').waitFor();
}

export async function pressOn(payer) {
  await payer.page.locator('main form button').click();
  await payer.atBank();
}

export async function payFirst(payer, card) {
  await payer.typeCard(card);
  await payer.page.locator('#code, #retour_boutique').first().waitFor();
  if (await payer.page.locator('#code').count()) await payer.passChallenge();
  await payer.returnToShop();
}

/** The rows of a table, cell by cell, without the spaces that stand in figures. */
export async function rows(payer, table) {
  const found = await payer.page.locator(`#${table} tbody tr`).all();
  return Promise.all(
    found.map(async (row) => (await row.locator('td > span').allInnerTexts()).map((cell) => cell.replace(/\s+/g, ' ').trim())),
  );
}

async function requested(payer) {
  await payer.choose('D4');
  await payer.open('/echelonnement');
  assert.equal(await payer.page.locator('input[name=formule]').count(), 1, 'only 3 instalments below 1 000 €');
  assert.match(await payer.text('fieldset'), /5 fois est réservé aux montants à partir de 1 000 €/);
  await payer.look('trois-seulement');
  await payer.choose('D1');
  await payer.open('/echelonnement');
  await payer.look('choix');
  await ask(payer, '3x');
  await state(payer, 'Demande transmise au service comptable');
  await payer.look('demandee');
  await ask(payer, '5x');
  assert.match(await payer.text('main .note'), /754,00\s€( · 754,00\s€){4}/, 'changed to five');
  await payer.open('/');
  assert.equal(await payer.page.getByRole('link', { name: 'Régler en plusieurs fois' }).count(), 0, 'no entry 3 yet');
  await payer.open('/echelonnement');
  await payer.press('Retirer ma demande');
  await payer.page.waitForLoadState();
  await state(payer, 'Demande retirée');
  await payer.look('retiree');
  await ask(payer, '5x');
  await enter(payer);
  await payer.page.locator(`#premiere-${payer.order}`).fill('cinq cents');
  payer.expected.push(422);
  await answerForm(payer, 'accord').locator('button').click();
  await payer.page.locator('#refus').waitFor();
  assert.match(await payer.text('#refus'), /500,00/);
  await payer.look('comptabilite-montant');
  await payer.page.locator(`#motif-${payer.order}`).fill('Le dossier est incomplet <b>.');
  await answerForm(payer, 'refus').locator('button').click();
  await payer.page.waitForURL('**/comptabilite');
  await payer.open('/echelonnement');
  await state(payer, 'Demande refusée');
  assert.equal(await payer.text('#motif'), 'Le dossier est incomplet <b>.');
  await payer.look('refusee');
  await ask(payer, '5x');
  await enter(payer);
  await payer.page.locator(`#premiere-${payer.order}`).fill('1 000,02');
  await answerForm(payer, 'accord').locator('button').click();
  await payer.page.waitForURL('**/comptabilite');
  await payer.open('/echelonnement');
  await state(payer, 'Demande acceptée');
  assert.match(await payer.text('main .note'), /1\s000,02\s€( · 692,49\s€){3} · 692,51\s€/, 'as accounting fixed it');
  await payer.look('acceptee');
  return 'asked, changed, withdrawn, refused with a reason, approved with a first of 1000.02';
}

async function paid(payer) {
  await approved(payer, 'D4', '3x');
  await payer.open('/');
  await payer.look('accueil');
  await payer.follow('Régler en plusieurs fois');
  await payer.page.waitForURL('**/echeances');
  const offered = await rows(payer, 'echeances');
  assert.deepEqual(offered.map(([, amount]) => cents(amount)), THIRDS, 'the amounts');
  assert.deepEqual(offered.map(([, , left]) => cents(left)), THIRDS, 'what remains to pay');
  assert.ok(offered.slice(1).every(([due]) => due.startsWith('10/')), 'the others are due on the 10th');
  assert.ok(offered.every((row) => row[6] === 'Anaïs Lefèvre'), 'the payer');
  assert.equal(await payer.cents('#automatique'), THIRDS[1] + THIRDS[2], 'what is debited by itself');
  assert.match(await payer.text('main'), /e-cartes bleues/);
  await payer.look('echeancier');
  // Without the payer's agreement the browser goes nowhere, and neither does the portal.
  await payer.page.locator(`form[action="/commandes/${payer.order}/echeances"] button`).click();
  assert.equal(await payer.page.locator('#accord:invalid').count(), 1, 'the agreement is necessary');
  payer.expected.push(422);
  await payer.page.locator('#accord').evaluate((box) => box.removeAttribute('required'));
  await payer.page.locator(`form[action="/commandes/${payer.order}/echeances"] button`).click();
  await payer.page.locator('#refus').waitFor();
  await payer.look('sans-accord');
  await goToBank(payer);
  assert.match(await payer.text('main'), /412,02/);
  await payer.look('vers-paybox');
  await pressOn(payer);
  assert.equal(await payer.bankAmount(), THIRDS[0], 'on PAYBOX’s page');
  await payFirst(payer, CARDS.ordinary);
  await payer.verdict('Paiement accepté', 12);
  assert.equal(await payer.cents('#regle'), THIRDS[0], 'paid');
  await payer.look('accepte');
  await payer.follow('Voir mon échéancier');
  assert.deepEqual((await rows(payer, 'echeances')).map((row) => row[7]), ['Réglée', 'À venir', 'À venir']);
  await payer.look('en-cours');
  const { totals } = await payer.demo.ledger(payer.order);
  assert.equal(totals.net, THIRDS[0], 'at the bank');
  // The second one now, by card.
  await payer.page.locator(`form[action="/commandes/${payer.order}/echeances/2"] button`).click();
  if (payer.hasNoScript) await pressOn(payer);
  await payer.atBank();
  assert.equal(await payer.bankAmount(), THIRDS[1], 'on PAYBOX’s page');
  await payFirst(payer, CARDS.ordinary);
  await payer.verdict('Paiement accepté', 12);
  await payer.hasPosition(GAP_YEAR, THIRDS[0] + THIRDS[1]);
  assert.deepEqual((await rows(payer, 'echeances')).map((row) => row[4]), ['Réglée', 'Réglée', 'À venir']);
  return 'approved, 205.98 by card, 412.02 announced; the second paid early; ledger 411.96';
}

function withVirtualCard(language) {
  const french = language === 'fr';
  return async (payer) => {
    if (!french) {
      await payer.open('/langue/en?vers=/dossier');
      payer.language = 'en';
    }
    await approved(payer, 'D4', '3x');
    await payer.look('schedule');
    await goToBank(payer);
    await pressOn(payer);
    await payFirst(payer, CARDS.virtual);
    await payer.verdict(french ? 'Carte refusée pour un paiement en plusieurs fois' : 'Card not accepted for instalments', 12);
    const why = await payer.text('#motif');
    assert.match(why, french ? /e-Carte Bleue.*Rien n’a été débité/ : /e-Carte Bleue.*Nothing was debited/);
    await payer.isUnpaid();
    await payer.look('e-card');
    const { link } = payer;
    await payer.page.goto(link);
    await payer.page.locator('[role=alert]').waitFor();
    await payer.look('link-again');
    await payer.page.goBack();
    await payer.follow(french ? 'Payer avec une autre carte' : 'Pay with another card');
    await payer.page.waitForURL('**/echeances');
    await goToBank(payer);
    await pressOn(payer);
    await payFirst(payer, CARDS.frictionless);
    await payer.verdict(french ? 'Paiement accepté' : 'Payment accepted', 12);
    await payer.open('/position');
    await payer.look('position');
    const { totals } = await payer.demo.ledger(payer.order);
    assert.equal(totals.net, THIRDS[0], 'at the bank');
    return `« ${why.slice(0, 60)}… »; nothing captured; another card pays 205.98 on the same plan`;
  };
}

/** Puts the clock forward to the day that is shown, by its first button. */
async function goForward(payer, day) {
  await payer.open(`/comptabilite/prelevements?jour=${day}`);
  const first = await payer.page.locator('form[action="/comptabilite/horloge"] input').first().inputValue();
  assert.equal(first, day, 'the first button');
  await payer.page.locator('form[action="/comptabilite/horloge"] button').first().click();
  await payer.page.waitForURL(`**/prelevements?jour=${day}`);
  assert.equal(await payer.text('#aujourdhui'), day.split('-').reverse().join('/'), 'the day it is');
}

/** Begins the debits of the day that is shown, and waits until they are over. */
async function runDebits(payer) {
  await payer.press('Lancer les prélèvements de ce jour');
  await payer.page.locator('#etat').waitFor();
  for (let left = 20; left > 0 && (await payer.text('#etat')) !== 'Prélèvements terminés'; left -= 1) {
    await payer.page.waitForTimeout(300);
    await payer.page.locator('#actualiser').click();
    await payer.page.waitForLoadState();
  }
  assert.equal(await payer.text('#etat'), 'Prélèvements terminés');
}

async function debited(payer) {
  const references = [];
  let due;
  for (const card of [CARDS.frictionless, CARDS.emptyLater]) {
    await approved(payer, 'D4', '3x');
    references.push(await payer.text('#echeances caption .reference'));
    due = (await rows(payer, 'echeances'))[1][0].split('/').reverse().join('-');
    await goToBank(payer);
    await pressOn(payer);
    await payFirst(payer, card);
    await payer.verdict('Paiement accepté', 12);
    if (card !== CARDS.emptyLater) {
      await payer.open('/');
      await payer.press('Recommencer avec une nouvelle étudiante');
    }
  }
  const [good, bad] = references;
  await enter(payer);
  await payer.look('comptabilite');
  await goForward(payer, due);
  const of = async (table, reference) => (await rows(payer, table)).find(([first]) => first === reference);
  assert.deepEqual((await of('previsions', good)).slice(1), ['2', '205,98 €', 'À prélever']);
  await payer.look('previsions');
  await runDebits(payer);
  assert.equal((await of('prelevements', good))[3], 'Payé');
  const why = (await of('prelevements', bad))[3];
  assert.match(why, /^Refusé \(00151\) Le compte n.est pas assez approvisionné.*Nouvel essai le 13\//);
  assert.ok(Number(await payer.text('#nombre-paid')) >= 1 && Number(await payer.text('#nombre-refused')) >= 1);
  await payer.look('prelevements');
  await enter(payer);
  assert.match((await of('impayes', bad)).join(' '), /Refusée, nouvel essai le 13\//);
  await payer.look('impayes');
  await payer.open('/position');
  assert.match((await rows(payer, 'echeances'))[1][4], /^Refusée, nouvel essai le 13\/.*approvisionné/);
  assert.match(await payer.text('#commandes'), /Bloquée : un prélèvement est impayé/);
  await payer.look('position');
  await payer.open('/echeances');
  assert.equal(await payer.text('#echeancier'), 'Un prélèvement a été refusé');
  await payer.look('echeancier-refuse');
  // Three more tries, then arrears; accounting has it debited once more.
  for (const day of ['13', '18', '25']) {
    await goForward(payer, due.replace(/10$/, day));
    await runDebits(payer);
  }
  await enter(payer);
  const again = payer.page.locator('section', { hasText: bad }).locator('form[action*="/impayes/"]');
  await payer.look('arrieres');
  await again.locator('input').fill('La banque promet d’accepter.');
  await again.locator('button').click();
  await payer.page.waitForURL('**/comptabilite');
  assert.equal(await again.count(), 0, 'it is debited again');
  await remitted(payer, good);
  return `two debits of 205.98: one paid, one « ${why.slice(0, 55)}… »; four tries, arrears, once more`;
}

/** What the bank collected is told remittance by remittance, each as the sum of its operations. */
async function remitted(payer, reference) {
  const holds = async () => {
    await payer.open('/comptabilite/remises');
    return (await payer.page.locator('#remises tbody tr').count()) > 0;
  };
  for (let left = 20; left > 0 && !(await holds()); left -= 1) await payer.page.waitForTimeout(300);
  await payer.look('remises');
  const seen = [];
  for (const [number, , sum] of await rows(payer, 'remises')) {
    await payer.open(`/comptabilite/remises/${number}`);
    const operations = await rows(payer, 'operations');
    const total = operations.reduce((all, [, , , amount]) => all + cents(amount), 0);
    assert.equal(await payer.cents('#somme'), total, `remittance ${number}`);
    assert.equal(cents(sum), total, `remittance ${number} in the list`);
    seen.push(...operations.map(([order]) => order));
  }
  await payer.look('remise');
  assert.ok(seen.includes(reference), `${reference} was collected`);
}

export const INSTALMENTS = [
  ['demande', 'instalments asked for', requested],
  ['echeances', 'instalments paid', paid],
  ['e-carte', 'e-card refused', withVirtualCard('fr')],
  ['e-card', 'e-card refused, in English', withVirtualCard('en'), { widths: [390] }],
  ['echeances-sans-script', 'instalments without script', paid, { hasNoScript: true, widths: [390] }],
  ['comptabilite', 'accounting debits', debited, { isAlone: true }],
];
