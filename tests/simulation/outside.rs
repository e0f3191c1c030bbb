//! What happens outside: people, payers, schedulers, and the bank's days.

use guichet::{
    app::corrections::Correction,
    domain::{bank::OperationStatus, ids::OrderId, run::RunState},
};
use jiff::{SignedDuration, Timestamp, ToSpan, civil::Time};

use crate::{
    backups,
    bank::{self, Made, Moved, execute},
    finale,
    happening::Happening,
    imports, moves, payer, rounds,
    run::Run,
    school, statements, store,
    wishes::{self, Wish},
    world::Inner,
};

/// How long a healthy bank has at the end to leave nothing in doubt.
const HEALTHY: SignedDuration = SignedDuration::from_hours(4 * 24);

/// What is known from the beginning to happen.
pub(crate) fn begin(inner: &mut Inner, processes: usize) {
    let calm_at = inner.now.to_zoned(inner.zone.clone()).saturating_add(inner.nature.months.months()).timestamp();
    inner.calm_at = calm_at;
    inner.at(calm_at, Happening::Calm);
    backups::begin(inner);
    inner.at(calm_at + HEALTHY - SignedDuration::from_hours(12), Happening::Echo);
    inner.at(calm_at + HEALTHY, Happening::End);
    imports::begin(inner, calm_at + HEALTHY);
    for process in 0..processes {
        if inner.nature.clocks_step {
            inner.after_secs(3_600, 9 * 86_400, Happening::SetClock { process });
        }
    }
    for index in 0..inner.nature.orders {
        let merchant = *inner.rng.pick(school::names(&inner.nature));
        let (bits, random) = (u128::try_from(inner.now.as_millisecond()).unwrap(), inner.names.next());
        let id = OrderId::from_bits((bits << 80) | u128::from(random));
        let units = *inner.rng.pick(&[60_100, 60_100, 150_000, 377_000, 10_001, 100]);
        let order = Box::new(school::new_order(merchant, id, &format!("order-{index}"), units));
        inner.after_secs(0, 4 * 86_400, Happening::Place { order, tries: 0 });
    }
    next_day(inner, Time::constant(23, 10, 0, 0), Happening::Settle);
    for process in 0..processes {
        next_day(inner, Time::constant(6, 0, 5, 0), Happening::Daily { process });
    }
}

/// A clock steps by a little, as `Clock::now` may.
fn set_clock(inner: &mut Inner, process: usize) {
    let step = SignedDuration::from_secs(inner.rng.between(-90, 90));
    inner.count(if step < inner.clock_steps[process] { "clock: set back" } else { "clock: set forward" });
    inner.log(format_args!("the clock of {process} is set to {step} from the true time"));
    inner.clock_steps[process] = step;
    if !inner.calm {
        inner.after_secs(3_600, 9 * 86_400, Happening::SetClock { process });
    }
}

/// Every notification once more, in another order: nothing must come of it.
fn echo(inner: &mut Inner) {
    if !inner.nature.echoes {
        return;
    }
    inner.before_echo = inner.store.orders().map(|order| (order.id, finale::of_pages(order))).collect();
    for (merchant, raw) in inner.told.clone() {
        inner.count("notification: again at the end");
        inner.after_secs(1, 3_600, Happening::Notify { merchant, raw });
    }
}

fn next_day(inner: &mut Inner, time: Time, what: Happening) {
    let tomorrow = inner.now.to_zoned(inner.zone.clone()).date().tomorrow().unwrap();
    let when = tomorrow.to_datetime(time).to_zoned(inner.zone.clone()).unwrap().timestamp();
    inner.at(when, what);
}

pub(crate) fn happen(run: &mut Run, what: Happening) {
    let world = run.world.clone();
    match what {
        Happening::Place { order, tries } => {
            let (id, (process, app)) = (order.id, run.any_process());
            run.spawn(process, moves::place(app, world.clone(), *order, tries));
            if tries == 0 {
                world.with(|inner| inner.after_secs(1, 600, Happening::Move { order: id }));
            }
        }
        Happening::Move { order } => moved(run, order, true),
        Happening::MoveOnce { order } => moved(run, order, false),
        Happening::Follow { token } => {
            let (process, app) = run.any_process();
            run.spawn(process, moves::follow(app, world, token));
        }
        Happening::Open { merchant, fields, token } => {
            world.with(|inner| payer::open(inner, &merchant, &fields, &token));
        }
        Happening::Pay { page, card } => world.with(|inner| payer::pay(inner, page, card)),
        Happening::Return { token } => {
            let (process, app) = run.any_process();
            run.spawn(process, moves::come_back(app, world, token));
        }
        Happening::Notify { merchant, raw } => {
            let (process, app) = run.any_process();
            run.spawn(process, moves::notify(app, world, merchant, raw, true));
        }
        Happening::Forge { merchant, raw, is_signed } => {
            let (process, app) = run.any_process();
            run.spawn(process, moves::notify(app, world, merchant, raw, is_signed));
        }
        Happening::Judge { order, subject, verdict, by } => {
            let (process, app) = run.any_process();
            run.spawn(process, moves::judge(app, world, order, (subject, verdict), by));
        }
        Happening::Correct { order, correction } => {
            let (process, app) = run.any_process();
            run.spawn(process, moves::correct(app, world, order, correction));
        }
        Happening::Fetch(why) => world.with(|inner| imports::fetch(inner, why)),
        Happening::Bring { file, tries } => imports::bring(run, file, tries),
        Happening::Enter { entering, key, tries } => imports::enter(run, *entering, key, tries),
        Happening::SetClock { process } => world.with(|inner| set_clock(inner, process)),
        Happening::Echo => world.with(echo),
        Happening::LateCommit { sent } => world.with(|inner| {
            let _ = execute(inner, &sent);
        }),
        Happening::LateCapture { merchant, operation } => world.with(|inner| capture(inner, &merchant, operation)),
        Happening::LetGo { operation } => world.with(|inner| bank::let_go_by_hand(inner, operation)),
        Happening::Settle => world.with(settle),
        Happening::Daily { process } => daily(run, process),
        Happening::StartRun { merchant, date, times } => {
            for _ in 0..times {
                let (process, app) = run.any_process();
                run.spawn(process, moves::start_run(app, world.clone(), merchant.clone(), date));
            }
        }
        Happening::ResumeRun { merchant, date } => {
            let (process, app) = run.any_process();
            run.spawn(process, moves::resume_run(app, world, merchant, date));
        }
        Happening::BackUp => world.with(backups::back_up),
        Happening::Restore => run.restore(),
        Happening::EndReconcile { impatient } => end_reconcile(run, impatient),
        Happening::StoreBack => world.with(store::back),
        Happening::Calm => calm(run),
        Happening::End => run.is_over = true,
    }
}

fn moved(run: &mut Run, id: OrderId, goes_on: bool) {
    let world = run.world.clone();
    let (process, app) = run.any_process();
    let order = world.with(|inner| inner.store.orders().find(|order| order.id == id).cloned());
    let Some(order) = order else {
        if goes_on {
            world.with(|inner| inner.after_secs(60, 3_600, Happening::Move { order: id }));
        }
        return;
    };
    let offer = app.offer(&order);
    let (wish, key, times) = world.with(|inner| {
        let (wish, soon) = wishes::wish(inner, &order, offer.as_ref());
        if goes_on && !inner.calm {
            inner.after_secs(soon / 2, soon, Happening::Move { order: id });
        }
        // Some ask twice, with the same key or another; two who give money back do so at once.
        let is_refund = matches!(wish, Wish::Correct(Correction::Refund { .. }));
        let times = if inner.rng.chance(if is_refund { 400 } else { 100 }) { 2 } else { 1 };
        if is_refund && times > 1 {
            inner.count("refund: asked for twice at once");
        }
        (wish, inner.rng.below(1 << 40), times)
    });
    if world.with(|inner| inner.calm) {
        return;
    }
    for time in 0..times {
        let key = world.with(|inner| if inner.rng.chance(500) { key } else { key + time });
        let (process, app) = if time == 0 { (process, app.clone()) } else { run.any_process() };
        run.spawn(process, moves::obey(app, world.clone(), id, wish.clone(), format!("k{key}")));
    }
}

fn capture(inner: &mut Inner, merchant: &str, operation: u64) {
    let is_it = |moved: &&mut Moved| moved.merchant == merchant && moved.operation.number.get() == operation;
    if let Some(moved) = inner.bank.moved.iter_mut().find(is_it)
        && moved.status == OperationStatus::Authorised
    {
        moved.status = OperationStatus::Captured;
        moved.was_captured = true;
        inner.count("bank: captured what a page had authorised");
    }
}

fn settle(inner: &mut Inner) {
    let day = inner.now.to_zoned(inner.zone.clone()).date();
    let remittance = statements::remittance_of(day);
    let is_collected = |moved: &&mut Moved| {
        let is_in = matches!(moved.status, OperationStatus::Captured | OperationStatus::Refunded);
        (is_in && moved.was_captured || moved.made == Made::Refund) && moved.remittance.is_none()
    };
    for moved in inner.bank.moved.iter_mut().filter(is_collected) {
        moved.remittance = Some(remittance);
    }
    next_day(inner, Time::constant(23, 10, 0, 0), Happening::Settle);
    if !inner.calm {
        // Early the next morning somebody may be in the way of what is due.
        let tomorrow = inner.now.to_zoned(inner.zone.clone()).date().tomorrow().unwrap();
        let is_due = |order: &&guichet::domain::order::Order| order.ready_on().is_some_and(|on| on <= tomorrow);
        let due: Vec<OrderId> = inner.store.orders().filter(is_due).map(|order| order.id).collect();
        for order in due.into_iter().filter(|_| inner.rng.chance(600)).collect::<Vec<_>>() {
            let six = 6 * 3_600 + 3_000;
            inner.after_secs(six - 2_000, six + 100, Happening::MoveOnce { order });
        }
    }
}

/// The hour of the day's run: by ourselves, and by schedulers that are early, late, or many.
fn daily(run: &mut Run, process: usize) {
    let world = run.world.clone();
    let app = run.app(process);
    run.spawn(process, async move {
        // What fails is tried again at the next look, a second later.
        let _ = app.trigger_daily().await;
    });
    world.with(|inner| {
        next_day(inner, Time::constant(6, 0, 5, 0), Happening::Daily { process });
        weather(inner);
        if process == 0 {
            if !inner.calm {
                rounds::charge_back(inner);
                note_the_night(inner);
            }
            rounds::go(inner);
            backups::look(inner);
            schedulers(inner);
            resume_stopped(inner);
        }
    });
}

/// Debits go on when every process has said what it knows of the store.
fn end_reconcile(run: &mut Run, impatient: bool) {
    let world = run.world.clone();
    if run.all_have_met_the_store() {
        let (process, app) = run.any_process();
        run.spawn(process, backups::end(app, world));
    } else if !impatient {
        world.with(|inner| inner.after_secs(60, 600, Happening::EndReconcile { impatient }));
    }
}

fn note_the_night(inner: &mut Inner) {
    let now = inner.now.to_zoned(inner.zone.clone());
    let before = now.yesterday().unwrap();
    if now.offset() != before.offset() {
        inner.count("clock: a night on which all clocks change");
    }
    if now.month() != before.month() {
        inner.count("clock: a month has ended");
    }
}

/// External schedulers, and the people who are in the way of what they start.
fn schedulers(inner: &mut Inner) {
    let today = inner.now.to_zoned(inner.zone.clone()).date();
    let is_due = |order: &&guichet::domain::order::Order| order.ready_on().is_some_and(|on| on <= today);
    let due: Vec<(String, OrderId)> =
        inner.store.orders().filter(is_due).map(|order| (order.merchant.to_string(), order.id)).collect();
    for (merchant, order) in due {
        let hour = if inner.calm || inner.rng.chance(500) { 60 } else { 57_000 };
        for late in [0, *inner.rng.pick(&[0, 1, 3, 7])] {
            let times = if inner.calm { 1 } else { *inner.rng.pick(&[0, 1, 1, 2, 20]) };
            if times > 1 {
                inner.count("run: asked for many times");
            }
            if late > 0 && times > 0 {
                inner.count("run: asked for late");
            }
            let date = today.saturating_sub(late.days());
            inner.after_secs(0, hour, Happening::StartRun { merchant: merchant.clone(), date, times });
        }
        if !inner.calm && inner.rng.chance(400) {
            inner.after_secs(0, hour, Happening::MoveOnce { order });
        }
        if !inner.calm && inner.rng.chance(200) {
            inner.after_secs(0, 60, Happening::MoveOnce { order });
        }
    }
}

/// Runs that the bank's refusal of us has stopped go on after a person has looked.
fn resume_stopped(inner: &mut Inner) {
    let stopped = inner.store.rows.iter().filter(|(key, _)| key.kind == "run").filter_map(|(key, row)| {
        let run: guichet::domain::run::Run = serde_json::from_str(&row.stored.state).unwrap();
        matches!(run.state, RunState::Stopped { .. }).then(|| (key.merchant.clone(), run.date))
    });
    for (merchant, date) in stopped.collect::<Vec<_>>() {
        inner.count("run: stopped");
        inner.after_secs(60, 40_000, Happening::ResumeRun { merchant, date });
    }
}

fn weather(inner: &mut Inner) {
    use guichet::domain::attempt::Host;
    for host in [Host::Main, Host::Backup] {
        if inner.strikes("bank: a host is down", 30) {
            let longest = *inner.rng.pick(&[5, 20, 20, 60, 120, 300]);
            let until = inner.now + SignedDuration::from_mins(inner.rng.between(1, longest));
            inner.bank.down_until.insert(host, until);
        }
    }
}

fn calm(run: &mut Run) {
    run.calm();
    run.world.with(|inner| {
        let late: Vec<(Timestamp, u64)> =
            inner.happenings.iter().filter(|(_, what)| is_idle(what)).map(|(at, _)| *at).collect();
        for at in late {
            inner.happenings.remove(&at);
        }
        for (merchant, raw) in inner.bank.owed.clone() {
            inner.after_secs(1, 60, Happening::Notify { merchant, raw });
        }
        resume_stopped(inner);
    });
}

/// Nobody begins anything new once all is calm.
fn is_idle(what: &Happening) -> bool {
    matches!(
        what,
        Happening::Place { .. }
            | Happening::Move { .. }
            | Happening::MoveOnce { .. }
            | Happening::Follow { .. }
            | Happening::Open { .. }
            | Happening::Pay { .. }
            | Happening::Return { .. }
            | Happening::StartRun { .. }
            | Happening::SetClock { .. }
            | Happening::Forge { .. }
            | Happening::BackUp
            | Happening::Restore
    )
}
