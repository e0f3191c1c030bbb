// The cases: what a student does, and what must be seen. Each says in a few words what it saw.

import assert from 'node:assert/strict';

import { checkFocus } from './checks.mjs';
import { INSTALMENTS } from './instalments.mjs';
import { OFFICE } from './office.mjs';
import { CARDS, Payer } from './payer.mjs';

/** The normal fee and that of a gap year, in cents. */
const FEE = 377_000;
const GAP_YEAR = 61_800;

const LE_HAVRE = {
  first_name: 'Jean-Noël',
  last_name: 'D’Arc',
  address1: '1 quai des Brumes',
  zip_code: '76600',
  city: 'Le Havre',
  country: 'FR',
  mobile_phone: '+33698765432',
};

/** Chooses the normal fee and reads the recap as the real screen has it. */
async function recap(payer) {
  await payer.choose('D1');
  const cells = await payer.page.locator('#lignes tbody td').allInnerTexts();
  const spaces = /[\s\u00a0\u202f]+/g;
  const row = cells.map((cell) => cell.replace(spaces, ' ').trim());
  assert.deepEqual(row, ['Droits de scolarité', '1', '3 770,00 €', '3 770,00 €', '0,00 %*', '3 770,00 €'], 'the line');
  assert.equal(await payer.cents('#total'), FEE, 'total to pay');
  assert.match(await payer.text('.foot'), /art\. 261-4-4 du CGI/);
}

async function prefilled(payer) {
  await recap(payer);
  await payer.look('recapitulatif');
  assert.equal(await payer.page.locator('#a0-address1').inputValue(), '12 rue de l’Église');
  assert.equal(await payer.page.locator('#new-address1').isVisible(), false, 'one panel is open');
  await payer.page.getByText('Modifier cette adresse').first().click();
  await payer.type('a0', { address2: 'Bât. B' });
  await payer.look('adresse-connue');
  await payer.goToBank();
  assert.equal(await payer.bankAmount(), FEE, 'on PAYBOX’s page');
  await payer.look('carte');
  await payer.typeCard(CARDS.ordinary);
  await payer.look('ticket');
  await payer.returnToShop();
  await payer.isPaid(FEE);
  await payer.look('accepte');
  await payer.hasPosition(FEE, FEE);
  return 'no challenge; recap, PAYBOX, result, position and ledger 3770.00';
}

async function entered(payer) {
  await recap(payer);
  await payer.pickAddress('new');
  await payer.type('new', LE_HAVRE);
  await payer.look('nouvelle-adresse');
  await payer.goToBank();
  await payer.typeCard(CARDS.challenged);
  await payer.look('authentification');
  await payer.passChallenge();
  await payer.returnToShop();
  await payer.isPaid(FEE);
  return 'challenge passed; ledger 3770.00';
}

async function withoutAddress(payer) {
  await recap(payer);
  await payer.pickAddress('none');
  await payer.look('sans-adresse');
  await payer.goToBank();
  await payer.typeCard(CARDS.ordinary);
  await payer.passChallenge();
  await payer.returnToShop();
  await payer.isPaid(FEE);
  return 'an ordinary card is challenged; ledger 3770.00';
}

async function challengeFailed(payer) {
  await recap(payer);
  await payer.goToBank();
  await payer.typeCard(CARDS.challenged);
  await payer.press('Échouer');
  await payer.returnToShop();
  await payer.verdict('Paiement refusé', 6);
  await payer.isUnpaid();
  const why = await payer.text('#motif');
  assert.ok(why.length > 10, 'the reason');
  await payer.look('refuse');
  await payer.follow('Réessayer le paiement');
  await payer.goToBank();
  await payer.typeCard(CARDS.ordinary);
  await payer.returnToShop();
  await payer.isPaid(FEE);
  return `« ${why} »; tried again, ledger 3770.00`;
}

async function anotherCard(payer) {
  await recap(payer);
  await payer.goToBank();
  await payer.typeCard(CARDS.insufficient);
  await payer.look('carte-refusee');
  await payer.isUnpaid();
  await payer.press('Essayer une autre carte');
  await payer.typeCard(CARDS.ordinary);
  await payer.returnToShop();
  await payer.isPaid(FEE);
  return 'refused 00151, paid by the next card on the same page; ledger 3770.00';
}

async function refusedAndBack(payer) {
  await recap(payer);
  await payer.goToBank();
  await payer.typeCard(CARDS.insufficient);
  await payer.returnToShop();
  await payer.verdict('Paiement refusé', 6);
  assert.match(await payer.text('#motif'), /approvisionné/);
  await payer.look('refuse');
  await payer.hasPosition(0, 0);
  await payer.isUnpaid();
  return 'refused 00151 in plain French; nothing invoiced, ledger 0';
}

async function cancelled(payer) {
  await recap(payer);
  await payer.goToBank();
  await payer.press('Annuler');
  await payer.page.waitForURL(`${payer.demo.portal}/retour**`);
  await payer.verdict('Aucun paiement enregistré');
  await payer.isUnpaid();
  await payer.look('annule');
  await payer.follow('Réessayer le paiement');
  assert.equal(await payer.cents('#total'), FEE);
  await payer.goToBank();
  await payer.typeCard(CARDS.ordinary);
  await payer.returnToShop();
  await payer.isPaid(FEE);
  return 'left PAYBOX, nothing taken; tried again, ledger 3770.00';
}

async function linkAgain(payer) {
  await recap(payer);
  await payer.goToBank();
  const { link } = payer;
  // Back to the portal and forth again.
  await payer.page.goBack();
  await payer.page.waitForURL('**/commandes/*');
  assert.equal(await payer.cents('#total'), FEE);
  await payer.goToBank();
  assert.notEqual(payer.link, link, 'a new checkout has a new link');
  // The same link opened anew, and reloaded at PAYBOX.
  const { link: second } = payer;
  await payer.page.goto(second);
  await payer.atBank();
  await payer.page.reload();
  await payer.typeCard(CARDS.ordinary);
  await payer.returnToShop();
  await payer.isPaid(FEE);
  await payer.page.reload();
  await payer.isPaid(FEE);
  payer.expected.push(410);
  await payer.page.goto(second);
  await payer.look('lien-deja-paye');
  assert.equal(await payer.text('h1'), 'C’est réglé');
  await payer.open(`/commandes/${payer.order}`);
  await payer.isPaid(FEE);
  return 'back, link twice, reloads; one capture, ledger 3770.00; the link then says so';
}

async function twoTabs(payer) {
  await recap(payer);
  const tab = new Payer(await payer.page.context().newPage(), payer.demo, `${payer.name}-b`, payer.folder);
  await tab.open(`/commandes/${payer.order}`);
  for (const each of [payer, tab]) await each.goToBank();
  for (const each of [payer, tab]) {
    await each.typeCard(CARDS.ordinary);
    await each.returnToShop();
    await each.verdict('Paiement accepté', 10);
  }
  await payer.open('/position');
  const payments = payer.page.locator('#paiements tbody tr');
  for (let left = 20; left > 0 && (await payments.count()) < 3; left -= 1) {
    await payer.page.waitForTimeout(500);
    await payer.page.reload();
  }
  await payer.hasPosition(2 * FEE, 2 * FEE);
  const rows = await payments.allInnerTexts();
  for (const [place, kind] of ['Carte bancaire', 'Trop-perçu', 'Restitution'].entries()) {
    assert.match(rows[place], new RegExp(kind), `payment ${place + 1}`);
  }
  const { totals } = await payer.demo.ledger(payer.order);
  assert.equal(totals.captured, 2 * FEE, 'captured at the bank');
  assert.equal(totals.net, FEE, 'kept at the bank');
  tab.isContent();
  return 'both paid; one given back: position 0.00, ledger 7540.00 − 3770.00';
}

async function nothingToPay(payer) {
  await payer.choose('D6');
  const said = await payer.text('#resultat');
  assert.equal(said, 'Le récapitulatif de paiement ne contient pas de ligne à payer.');
  assert.equal(await payer.cents('#total'), 0);
  await payer.look('rien-a-payer');
  const { operations } = await payer.demo.ledger(payer.order);
  assert.deepEqual(operations, [], 'at the bank');
  await payer.hasPosition(0, 0);
  return 'settled at once; no payment page, nothing at the bank';
}

async function categoryChanged(payer) {
  await recap(payer);
  const first = payer.order;
  await payer.open('/dossier');
  await payer.look('dossier');
  await payer.choose('D4');
  assert.notEqual(payer.order, first, 'another order');
  assert.equal(await payer.cents('#total'), GAP_YEAR);
  const { order } = payer;
  await payer.open(`/commandes/${first}`);
  assert.equal(await payer.text('#resultat'), 'Commande remplacée');
  await payer.look('remplacee');
  await payer.follow('Voir la commande actuelle');
  await payer.page.waitForURL(`**/commandes/${order}`);
  await payer.goToBank();
  assert.equal(await payer.bankAmount(), GAP_YEAR, 'on PAYBOX’s page');
  await payer.typeCard(CARDS.ordinary);
  await payer.returnToShop();
  await payer.isPaid(GAP_YEAR);
  await payer.hasPosition(GAP_YEAR, GAP_YEAR);
  await payer.open('/dossier');
  await payer.look('dossier-regle');
  return 'D1 3770.00 replaced by D4; ledger 618.00';
}

async function faultyAddress(payer) {
  await recap(payer);
  await payer.pickAddress('new');
  await payer.type('new', { ...LE_HAVRE, city: 'Sète <b>', mobile_phone: '12' });
  payer.expected.push(422);
  await payer.press('Payer par carte');
  await payer.page.locator('#refus').waitFor();
  await payer.look('adresse-refusee');
  assert.equal(await payer.page.locator('#new-city').inputValue(), 'Sète <b>', 'what was typed');
  assert.equal(await payer.page.locator('#new-mobile_phone').getAttribute('aria-invalid'), 'true');
  assert.match(await payer.text('#new-mobile_phone-refus'), /téléphone mobile/);
  await payer.page.locator('#refus a').click();
  assert.match(payer.page.url(), /#new-mobile_phone$/);
  payer.expected.push(422);
  await payer.type('new', { city: '', mobile_phone: '' });
  await payer.press('Payer par carte');
  await payer.page.locator('#new-city-refus').waitFor();
  await payer.type('new', LE_HAVRE);
  await payer.goToBank();
  await payer.typeCard(CARDS.ordinary);
  await payer.returnToShop();
  await payer.isPaid(FEE);
  return 'comes back as typed, each field with its complaint; corrected, ledger 3770.00';
}

async function beingConfirmed(payer) {
  await recap(payer);
  await payer.demo.whileSilent(payer.order, async () => {
    await payer.goToBank();
    await payer.typeCard(CARDS.ordinary);
    await payer.returnToShop();
    await payer.verdict('Paiement en cours de confirmation', 6);
    await payer.look('en-confirmation');
    await payer.page.locator('#actualiser').click();
    await payer.verdict('Paiement en cours de confirmation');
    await payer.open(`/commandes/${payer.order}`);
    await payer.verdict('Paiement en cours de confirmation');
  });
  // Coming back once more has the bank asked once more.
  await payer.page.goto(payer.back);
  await payer.isPaid(FEE);
  return 'the bank is silent: being confirmed, no second payment; then accepted, ledger 3770.00';
}

async function inEnglish(payer) {
  await payer.open('/dossier');
  await payer.page.getByRole('link', { name: 'English' }).click();
  payer.language = 'en';
  await payer.look('registration');
  await payer.choose('D1');
  assert.equal(await payer.text('#total'), '€3,770.00');
  await payer.look('recap');
  payer.expected.push(422);
  await payer.pickAddress('new');
  await payer.press('Pay by card');
  await payer.page.locator('#refus').waitFor();
  assert.match(await payer.text('#new-city-refus'), /blank/);
  await payer.pickAddress('known-1');
  await payer.page.getByText('Edit this address').nth(1).click();
  await payer.type('a1', { zip_code: ' ' });
  payer.expected.push(422);
  await payer.press('Pay by card');
  await payer.page.locator('#a1-zip_code-refus').waitFor();
  await payer.look('to-correct');
  await payer.type('a1', { zip_code: '06560' });
  await payer.goToBank();
  await payer.typeCard(CARDS.ordinary);
  await payer.returnToShop();
  await payer.isPaid(FEE);
  await payer.look('accepted');
  await payer.hasPosition(FEE, FEE);
  await payer.page.getByRole('link', { name: 'Français' }).click();
  assert.equal(await payer.page.locator('html').getAttribute('lang'), 'fr');
  return 'every page in English; €3,770.00, ledger 3770.00';
}

async function menu(payer) {
  await payer.open('/');
  await payer.look('accueil');
  const first = await payer.text('.student');
  assert.equal(await payer.page.locator('main').getByText('Régler en plusieurs fois').count(), 0, 'entry 3');
  const soon = await payer.page.locator('.soon').count();
  assert.equal(soon, 1, 'entries that are to come');
  await payer.follow('Modes opératoires');
  await payer.look('modes-operatoires');
  await payer.open('/reglement');
  await payer.look('sans-commande');
  await payer.open('/position');
  await payer.look('position-vide');
  await payer.press('Recommencer avec une nouvelle étudiante');
  assert.notEqual(await payer.text('.student'), first, 'another student');
  payer.expected.push(404);
  await payer.open('/ailleurs');
  await payer.look('inconnue');
  return 'entries 0 to 5, the invoice to come, no entry 3 without approval; another student';
}

async function keyboard(payer) {
  let stops = 0;
  await payer.open('/');
  stops += await checkFocus(payer.page);
  await payer.choose('D1');
  stops += await checkFocus(payer.page);
  await payer.open('/dossier');
  stops += await checkFocus(payer.page);
  await payer.open('/echelonnement');
  stops += await checkFocus(payer.page);
  await payer.open('/comptabilite');
  stops += await checkFocus(payer.page);
  await payer.open('/dossier');
  // The whole choice without a mouse.
  await payer.page.locator('input[value=D1]').focus();
  await payer.page.keyboard.press('ArrowDown');
  await payer.page.keyboard.press('Enter');
  await payer.page.waitForURL('**/commandes/*');
  assert.equal(await payer.cents('#total'), 188_500, 'the category below');
  return `focus seen at ${stops} stops of the Tab key`;
}

/**
 * The name of the pictures, a title, what is done; where not both widths and scripts, which, and whether others may run
 * meanwhile. Slow ones come first.
 */
export const CASES = [
  ...INSTALMENTS,
  ...OFFICE,
  ['confirmation', 'being confirmed', beingConfirmed],
  ['menu', 'the menu and its pages', menu],
  ['connue', 'known address, frictionless', prefilled],
  ['nouvelle', 'new address, challenge', entered],
  ['aucune', 'no address', withoutAddress],
  ['echec', 'challenge failed', challengeFailed],
  ['autre-carte', 'card refused, then another', anotherCard],
  ['refus', 'card refused, back to the portal', refusedAndBack],
  ['annule', 'cancelled', cancelled],
  ['lien', 'link reloaded, back button', linkAgain],
  ['onglets', 'two tabs, both paid', twoTabs, { widths: [390] }],
  ['zero', 'nothing to pay', nothingToPay],
  ['categorie', 'category changed', categoryChanged],
  ['adresse', 'faulty address', faultyAddress],
  ['anglais', 'in English', inEnglish],
  ['clavier', 'by keyboard', keyboard],
  ['sans-script', 'without script', prefilled, { hasNoScript: true, widths: [390] }],
];
