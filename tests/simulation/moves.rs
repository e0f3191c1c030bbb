//! Doing what people want, through the use cases of a process that may end meanwhile.

use std::sync::Arc;

use guichet::{
    app::{
        App, Error, Remember, Rendered, Versioned,
        billing::BillingChoice,
        callback::Received,
        checkout::{CheckoutRequest, Issued, Pays},
        corrections::Correction,
        page::PageContent,
        plans::PlanAnswer,
    },
    domain::{
        ids::OrderId,
        order::{NewOrder, Refusal},
        quarantine::{PeoplesVerdict, Subject},
    },
};
use jiff::SignedDuration;

use crate::{
    accounts,
    happening::Happening,
    school::{caller, caller_with, new_order, text},
    wishes::Wish,
    world::World,
};

pub(crate) fn remember<T: 'static>(key: &str, render: impl Fn(&T) -> String + Send + Sync + 'static) -> Remember<T> {
    let render = move |result: &T| Rendered { status: 200, body: render(result), version: None };
    Remember { key: key.to_owned(), fingerprint: key.to_owned(), render: Arc::new(render) }
}

fn plain(key: &str) -> Remember<Versioned> {
    remember(key, |_: &Versioned| String::new())
}

/// What became of a request; a defect is nobody's fault but ours.
pub(crate) fn note(world: &World, what: &str, outcome: Result<(), Error>) {
    world.with(|inner| {
        inner.log(format_args!("{what}: {outcome:?}"));
        match &outcome {
            Err(Error::Refused(Refusal::DebitInProgress)) => inner.count("refused: a debit is under way"),
            Err(Error::Refused(Refusal::MonthEnds)) => inner.count("refused: the month ends"),
            Err(Error::Refused(Refusal::NotThatMuch)) => inner.count("refused: more than there is"),
            Err(Error::Refused(Refusal::SecondPersonNeeded)) => inner.count("refused: the same person, or key"),
            _ => {}
        }
        if let Err(Error::Defect(why)) = outcome {
            inner.violate("defect", format!("{what}: {why}"));
        }
    });
}

pub(crate) async fn obey(app: Arc<App>, world: World, id: OrderId, wish: Wish, key: String) {
    let nature = world.with(|inner| inner.nature.clone());
    let (portal, accounting) = (caller(&nature, "alice"), caller(&nature, "bertrand"));
    let what = format!("{key} {id} {wish:?}");
    let outcome = match wish {
        Wish::Nothing => return,
        Wish::CheckOut(pays) => {
            let outcome = check_out(&app, &world, id, pays, &key).await;
            note(&world, &what, outcome);
            return;
        }
        Wish::Request(template) => app.request_plan(&portal, id, template, &plain(&key)).await,
        Wish::Withdraw => app.withdraw_plan(&portal, id, None, &plain(&key)).await,
        Wish::Approve(terms) => {
            let answer = PlanAnswer::Approve { terms, first: None, reason: None };
            app.answer_plan(&accounting, id, &answer, None, &plain(&key)).await
        }
        Wish::Refuse => {
            let answer = PlanAnswer::Refuse { reason: text("non") };
            app.answer_plan(&accounting, id, &answer, None, &plain(&key)).await
        }
        Wish::Plan(order) => app.order_plan(&accounting, id, order, None, &plain(&key)).await,
        Wish::Retry(number) => app.retry_debit(&accounting, id, number, text("encore"), None, &plain(&key)).await,
        Wish::Correct(correction) => app.correct(&accounting, id, &correction, None, &plain(&key)).await,
        Wish::Replace => {
            replace(&world, id);
            return;
        }
        Wish::Account(days) => {
            let outcome = accounts::compare(&app, &world, id, days).await;
            note(&world, &what, outcome);
            return;
        }
        Wish::Cancel => {
            let outcome = app.cancel_order(&portal, id, None, &plain(&key)).await;
            if let Err(Error::Refused(Refusal::DebitInProgress)) = outcome {
                world.with(|inner| inner.count("cancel: refused beside a debit"));
            }
            outcome
        }
        Wish::Preview => {
            let outcome = preview(&app, &world, &accounting).await;
            note(&world, &what, outcome);
            return;
        }
    };
    note(&world, &what, outcome.map(|_| ()));
}

/// The payer chose otherwise before anything was paid.
fn replace(world: &World, old: OrderId) {
    world.with(|inner| {
        let Some(replaced) = inner.store.orders().find(|order| order.id == old) else { return };
        let (merchant, reference) = (replaced.merchant.to_string(), format!("{}+", replaced.reference.as_str()));
        let (bits, random) = (u128::try_from(inner.now.as_millisecond()).unwrap(), inner.names.next());
        let id = OrderId::from_bits((bits << 80) | u128::from(random));
        let units = *inner.rng.pick(&[60_100, 30_000]);
        let order = NewOrder { replaces: Some(old), ..new_order(&merchant, id, &reference, units) };
        inner.after_secs(0, 5, Happening::Place { order: Box::new(order), tries: 0 });
    });
}

/// What a person makes of something that waits.
pub(crate) async fn judge(
    app: Arc<App>,
    world: World,
    id: OrderId,
    (subject, verdict): (Subject, PeoplesVerdict),
    (key, person): (&'static str, &'static str),
) {
    let caller = caller_with(&world.with(|inner| inner.nature.clone()), key, person);
    let request = world.with(|inner| format!("v{}", inner.rng.below(1_000_000)));
    let evidence = text("vu dans le back-office");
    let given = app.give_verdict(&caller, id, (subject, verdict, &evidence), None, &plain(&request)).await;
    note(&world, &format!("{person} of {subject:?} of {id}: {verdict:?}"), given.map(|_| ()));
}

/// Accounting books what it reads in the bank's statements.
pub(crate) async fn correct(app: Arc<App>, world: World, id: OrderId, correction: Correction) {
    let accounting = caller(&world.with(|inner| inner.nature.clone()), "bertrand");
    let request = world.with(|inner| format!("c{}", inner.rng.below(1_000_000)));
    let done = app.correct(&accounting, id, &correction, None, &plain(&request)).await;
    note(&world, &format!("correcting {id}: {correction:?}"), done.map(|_| ()));
}

async fn preview(app: &App, world: &World, caller: &guichet::app::access::Caller) -> Result<(), Error> {
    let date = world.with(|inner| {
        let day = inner.now + SignedDuration::from_hours(24 * inner.rng.between(-3, 40));
        day.to_zoned(inner.zone.clone()).date()
    });
    for merchant in &caller.merchants {
        app.preview_run(caller, merchant, date, None, 100).await?;
        app.run_tally(merchant, date).await?;
    }
    Ok(())
}

async fn check_out(app: &App, world: &World, id: OrderId, pays: Pays, key: &str) -> Result<(), Error> {
    let caller = caller(&world.with(|inner| inner.nature.clone()), "alice");
    let request = CheckoutRequest {
        pays,
        billing: BillingChoice::None,
        return_url: "https://portal.example/retour".to_owned(),
        locale: None,
    };
    let remember = remember(key, |issued: &Issued| {
        let form = issued.form.as_ref().map(|form| form.fields.clone());
        serde_json::to_string(&(issued.current.order.merchant.as_str(), &issued.redirect, form)).unwrap()
    });
    let outcome = app.check_out(&caller, id, &request, &remember).await?;
    type Body = (String, String, Option<Vec<(String, String)>>);
    let (merchant, redirect, fields): Body = serde_json::from_str(&outcome.rendered.body).unwrap();
    let token = redirect.rsplit('/').next().unwrap().to_owned();
    world.with(|inner| {
        if let Some(fields) = fields.filter(|_| inner.rng.chance(400)) {
            let times = if inner.rng.chance(150) { 2 } else { 1 };
            (0..times).for_each(|_| {
                let (merchant, fields, token) = (merchant.clone(), fields.clone(), token.clone());
                inner.after_secs(5, 800, Happening::Open { merchant, fields, token });
            });
        } else {
            let times = *inner.rng.pick(&[0, 1, 1, 1, 1, 2, 3]);
            (0..times).for_each(|_| inner.after_secs(5, 1_000, Happening::Follow { token: token.clone() }));
        }
    });
    Ok(())
}

pub(crate) async fn place(app: Arc<App>, world: World, new: NewOrder, tries: u32) {
    let caller = caller(&world.with(|inner| inner.nature.clone()), "alice");
    let (id, key) = (new.id, format!("place-{}", new.id));
    let outcome = app.place_order(&caller, new.clone(), &plain(&key)).await;
    if outcome.is_err() && tries < 20 {
        let again = Happening::Place { order: Box::new(new), tries: tries + 1 };
        world.with(|inner| inner.after_secs(1, 100, again));
    }
    note(&world, &format!("placing {id}"), outcome.map(|_| ()));
}

pub(crate) async fn follow(app: Arc<App>, world: World, token: String) {
    let page = app.payer_page(&token).await;
    if let Ok(page) = &page {
        world.with(|inner| match &page.content {
            PageContent::Form(form) => {
                inner.count("link: leads to a form");
                let (merchant, fields, token) = (page.merchant.clone(), form.fields.clone(), token.clone());
                let open = Happening::Open { merchant, fields, token };
                // Who goes back in the browser brings the same form again.
                if inner.rng.chance(80) {
                    inner.after_secs(10, 300, open.clone());
                }
                inner.after_secs(1, 8, open);
            }
            PageContent::Over(_) => inner.count("link: leads nowhere"),
        });
    }
    note(&world, "following a link", page.map(|_| ()));
}

pub(crate) async fn come_back(app: Arc<App>, world: World, token: String) {
    let back = app.payer_returned(&token).await;
    note(&world, "coming back", back.map(|_| ()));
}

pub(crate) async fn notify(app: Arc<App>, world: World, merchant: String, raw: String, is_signed: bool) {
    let taken = app.notified(&merchant.parse().unwrap(), raw.as_bytes(), &|| true).await;
    world.with(|inner| {
        if let Ok(received) = &taken {
            inner.log(format_args!("notified: {received:?}"));
            if is_signed == matches!(received, Received::Unverified) {
                inner.violate("C1", format!("{raw} was taken as {received:?}"));
            }
            if is_signed {
                inner.told.push((merchant, raw));
            }
        }
    });
    note(&world, "notifying", taken.map(|_| ()));
}

pub(crate) async fn start_run(app: Arc<App>, world: World, merchant: String, date: jiff::civil::Date) {
    let caller = caller(&world.with(|inner| inner.nature.clone()), "cron");
    let started = app.start_run(&caller, &merchant.parse().unwrap(), date).await;
    note(&world, &format!("starting the run of {date}"), started.map(|_| ()));
}

pub(crate) async fn resume_run(app: Arc<App>, world: World, merchant: String, date: jiff::civil::Date) {
    let caller = caller(&world.with(|inner| inner.nature.clone()), "bertrand");
    let resumed = app.resume_run(&caller, &merchant.parse().unwrap(), date).await;
    note(&world, &format!("resuming the run of {date}"), resumed.map(|_| ()));
}
