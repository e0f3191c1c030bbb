//! What portals, accounting and payers do with an order, as far as it makes sense where the order stands; and sometimes
//! where it does not.

use std::sync::Arc;

use guichet::{
    app::{
        App, Error, Remember, Rendered, Versioned,
        billing::BillingChoice,
        checkout::{CheckoutRequest, Issued, Pays},
        page::PageContent,
        plans::{PlanAnswer, PlanOrder},
    },
    domain::{
        ids::OrderId,
        order::{NewOrder, Offer, Order, Status},
        plan::PlanState,
    },
};
use jiff::SignedDuration;

use crate::{
    happening::Happening,
    school::{caller, text},
    world::{Inner, World},
};

#[derive(Clone, Debug)]
pub(crate) enum Wish {
    Nothing,
    CheckOut(Pays),
    Request(&'static str),
    Withdraw,
    Approve(String),
    Refuse,
    Plan(PlanOrder),
    Retry(u32),
    Cancel,
    Preview,
}

/// What somebody wants now, and in how many seconds somebody looks again.
pub(crate) fn wish(inner: &mut Inner, order: &Order, offer: Option<&Offer>) -> (Wish, i64) {
    let (minute, hour, day) = (60, 3_600, 86_400);
    let wish = wish_of(inner, order, offer);
    let soon = match (&order.status, order.plan().map(|plan| &plan.state)) {
        (Status::Open, Some(PlanState::Active { .. } | PlanState::Ended { .. })) => inner.rng.between(hour, 9 * day),
        (Status::Open, _) => *inner.rng.pick(&[5 * minute, 20 * minute, hour, 8 * hour, day, 2 * day]),
        _ => inner.rng.between(day, 20 * day),
    };
    (wish, soon)
}

fn wish_of(inner: &mut Inner, order: &Order, offer: Option<&Offer>) -> Wish {
    let roll = inner.rng.below(100);
    let pages = order.checkouts.iter().filter(|page| page.link == page.number).count();
    // Who was just given a page mostly uses it.
    let was_given = order.checkouts.last().is_some_and(|page| inner.now < page.expires_at);
    if (was_given && roll < 85) || (pages > 8 && roll < 95) {
        return Wish::Nothing;
    }
    let roll = inner.rng.below(100);
    let template = *inner.rng.pick(&["three", "five"]);
    let Some(plan) = order.plan() else {
        return match roll {
            0..=9 => Wish::CheckOut(Pays::Next),
            10..=89 => Wish::Request(template),
            90..=92 => Wish::Cancel,
            _ => Wish::Nothing,
        };
    };
    if !matches!(order.status, Status::Open) {
        return if roll < 20 { Wish::CheckOut(Pays::Next) } else { Wish::Nothing };
    }
    match &plan.state {
        PlanState::Requested => match roll {
            0..=69 => Wish::Approve(plan.terms.clone()),
            70..=74 => Wish::Refuse,
            75..=79 => Wish::Withdraw,
            80..=84 => Wish::Request(template),
            85..=89 => Wish::CheckOut(Pays::Next),
            _ => Wish::Nothing,
        },
        PlanState::Approved { .. } => match roll {
            0..=79 => offer.map_or(Wish::Nothing, |offer| {
                Wish::CheckOut(Pays::FirstInstalment { accepted_terms: offer.hash.clone() })
            }),
            80..=82 => Wish::CheckOut(Pays::Next),
            83..=86 => Wish::Withdraw,
            87..=88 => Wish::Cancel,
            _ => Wish::Nothing,
        },
        PlanState::Refused { .. } | PlanState::Withdrawn { .. } => match roll {
            0..=59 => Wish::Request(template),
            60..=79 => Wish::CheckOut(Pays::Next),
            _ => Wish::Nothing,
        },
        PlanState::Active { paused: true, .. } if roll < 10 => Wish::Plan(PlanOrder::Resume),
        PlanState::Active { paused: true, .. } if roll < 80 => Wish::Nothing,
        // When a debit is due, payers and accounting are in its way most.
        PlanState::Active { .. } if roll < 60 && is_due(inner, order) => match roll {
            0..=29 => Wish::CheckOut(Pays::Next),
            30..=37 => Wish::Plan(PlanOrder::Pause),
            38..=41 => Wish::Plan(PlanOrder::Cancel),
            _ => Wish::Nothing,
        },
        PlanState::Active { .. } => match roll {
            0..=2 => Wish::Plan(PlanOrder::Pause),
            3..=4 => Wish::Plan(PlanOrder::Cancel),
            11..=14 => Wish::CheckOut(Pays::Next),
            18..=21 => Wish::CheckOut(Pays::Instalment(u32::try_from(inner.rng.between(1, 5)).unwrap())),
            25..=59 => match order.schedule.iter().find(|due| due.arrears.is_some()) {
                Some(due) if roll < 40 => Wish::Retry(due.number),
                Some(due) => Wish::CheckOut(Pays::Instalment(due.number)),
                None => Wish::Nothing,
            },
            60..=65 => Wish::Preview,
            66 => Wish::Cancel,
            _ => Wish::Nothing,
        },
        PlanState::Ended { .. } => match roll {
            0..=29 => Wish::CheckOut(Pays::Next),
            30 => Wish::Plan(PlanOrder::Resume),
            _ => Wish::Nothing,
        },
    }
}

fn is_due(inner: &Inner, order: &Order) -> bool {
    let today = inner.now.to_zoned(inner.zone.clone()).date();
    order.schedule.iter().any(|due| !due.paid && due.next_on.is_some_and(|on| on <= today))
}

fn remember<T: 'static>(key: &str, render: impl Fn(&T) -> String + Send + Sync + 'static) -> Remember<T> {
    let render = move |result: &T| Rendered { status: 200, body: render(result), version: None };
    Remember { key: key.to_owned(), fingerprint: key.to_owned(), render: Arc::new(render) }
}

fn plain(key: &str) -> Remember<Versioned> {
    remember(key, |_: &Versioned| String::new())
}

/// What became of a request; a defect is nobody's fault but ours.
fn note(world: &World, what: &str, outcome: Result<(), Error>) {
    world.with(|inner| {
        inner.log(format_args!("{what}: {outcome:?}"));
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
        Wish::Cancel => app.cancel_order(&portal, id, None, &plain(&key)).await,
        Wish::Preview => {
            let outcome = preview(&app, &world, &accounting).await;
            note(&world, &what, outcome);
            return;
        }
    };
    note(&world, &what, outcome.map(|_| ()));
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

pub(crate) async fn notify(app: Arc<App>, world: World, merchant: String, raw: String) {
    let taken = app.notified(&merchant.parse().unwrap(), raw.as_bytes(), &|| true).await;
    world.with(|inner| {
        if let Ok(received) = &taken {
            inner.log(format_args!("notified: {received:?}"));
            if matches!(received, guichet::app::callback::Received::Unverified) {
                inner.violate("C1", format!("a notification that the bank signed does not verify: {raw}"));
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
