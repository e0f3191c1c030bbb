//! Alarms become a log line and a number. Whoever is on call is told by what reads those; nothing here waits or fails.

use std::iter::successors;

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};

use crate::{
    domain::ids::MerchantId,
    ports::{Alarm, AlarmKind, Alarms, Counted},
};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AlarmLabels {
    kind: &'static str,
    merchant: String,
}

type AlarmCounts = Family<AlarmLabels, Counter>;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DebitLabels {
    outcome: &'static str,
    merchant: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RunLabels {
    state: &'static str,
    merchant: String,
}

/// What debits come to, and what becomes of runs.
#[derive(Clone, Default)]
struct Counts {
    debits: Family<DebitLabels, Counter>,
    runs: Family<RunLabels, Counter>,
}

impl Counts {
    fn one_of(&self, merchant: &str, what: Counted) -> Counter {
        let merchant = merchant.to_owned();
        match what {
            Counted::Debit(outcome) => self.debits.get_or_create_owned(&DebitLabels { outcome, merchant }),
            Counted::Run(state) => self.runs.get_or_create_owned(&RunLabels { state, merchant }),
        }
    }
}

/// All that is counted.
const COUNTED: [Counted; 9] = [
    Counted::Debit("paid"),
    Counted::Debit("refused"),
    Counted::Debit("in_doubt"),
    Counted::Debit("not_executed"),
    Counted::Debit("quarantined"),
    Counted::Run("started"),
    Counted::Run("stopped"),
    Counted::Run("resumed"),
    Counted::Run("ended"),
];

/// All that `/metrics` shows.
pub struct Metrics {
    registry: Registry,
    alarms: AlarmCounts,
    counts: Counts,
}

impl Metrics {
    /// Every kind of alarm, and whatever else is counted, is there from the start, at zero, for each merchant: an alert cannot be written on a number
    /// that first appears when it is needed.
    pub fn new<'a>(merchants: impl IntoIterator<Item = &'a MerchantId>) -> Self {
        let (alarms, counts) = (AlarmCounts::default(), Counts::default());
        for merchant in merchants {
            for what in COUNTED {
                counts.one_of(merchant.as_str(), what);
            }
            for kind in every_kind() {
                let labels = AlarmLabels { kind: kind.name(), merchant: merchant.to_string() };
                let _ = alarms.get_or_create(&labels);
            }
        }
        // The store is everybody's.
        for kind in [AlarmKind::StoreFailed, AlarmKind::StoreRegressed] {
            let _ = alarms.get_or_create(&AlarmLabels { kind: kind.name(), merchant: String::new() });
        }
        let mut registry = Registry::default();
        registry.register("guichet_alarms", "Alarms raised, by kind and merchant", alarms.clone());
        registry.register("guichet_debits", "Debits of instalments, by what they came to", counts.debits.clone());
        registry.register("guichet_debit_runs", "Debit runs, by what became of them", counts.runs.clone());
        Self { registry, alarms, counts }
    }

    /// The text format of OpenMetrics.
    pub fn encode(&self) -> String {
        let mut text = String::new();
        if encode(&mut text, &self.registry).is_err() {
            tracing::error!("the metrics cannot be written");
        }
        text
    }
}

/// Writes alarms to the log, under the target `alarm`, and counts them.
pub struct LoggedAlarms {
    alarms: AlarmCounts,
    counts: Counts,
}

impl LoggedAlarms {
    pub fn new(metrics: &Metrics) -> Self {
        Self { alarms: metrics.alarms.clone(), counts: metrics.counts.clone() }
    }
}

impl Alarms for LoggedAlarms {
    fn raise(&self, alarm: Alarm) {
        let Alarm { kind, merchant, subject, detail } = alarm;
        let name = kind.name();
        match gravity(kind) {
            Gravity::NeedsSomebody => tracing::error!(target: "alarm", kind = name, merchant, subject, detail),
            Gravity::MayPass => tracing::warn!(target: "alarm", kind = name, merchant, subject, detail),
        }
        self.alarms.get_or_create(&AlarmLabels { kind: name, merchant }).inc();
    }

    fn count(&self, merchant: &str, what: Counted) {
        self.counts.one_of(merchant, what).inc();
    }
}

/// How loud an alarm is.
enum Gravity {
    /// Nothing but a person ends it.
    NeedsSomebody,
    /// It may end by itself, or is only worth knowing.
    MayPass,
}

fn gravity(kind: AlarmKind) -> Gravity {
    match kind {
        AlarmKind::CallbackUnusable
        | AlarmKind::ReportDoubted
        | AlarmKind::NotSettled
        | AlarmKind::Quarantined
        | AlarmKind::Misconfigured
        | AlarmKind::WebhookFailed
        | AlarmKind::StoreFailed
        | AlarmKind::StoreRegressed
        | AlarmKind::Defect => Gravity::NeedsSomebody,
        AlarmKind::CallbackUnverified
        | AlarmKind::CallbackVariant
        | AlarmKind::NotCaptured
        | AlarmKind::Surplus
        | AlarmKind::InDoubt
        | AlarmKind::BankSilent
        | AlarmKind::CallWaits => Gravity::MayPass,
    }
}

fn every_kind() -> impl Iterator<Item = AlarmKind> {
    successors(Some(AlarmKind::CallbackUnverified), |kind| following(*kind))
}

/// A chain through all kinds: the compiler asks for the place of each new one.
fn following(kind: AlarmKind) -> Option<AlarmKind> {
    match kind {
        AlarmKind::CallbackUnverified => Some(AlarmKind::CallbackUnusable),
        AlarmKind::CallbackUnusable => Some(AlarmKind::CallbackVariant),
        AlarmKind::CallbackVariant => Some(AlarmKind::ReportDoubted),
        AlarmKind::ReportDoubted => Some(AlarmKind::NotCaptured),
        AlarmKind::NotCaptured => Some(AlarmKind::NotSettled),
        AlarmKind::NotSettled => Some(AlarmKind::Surplus),
        AlarmKind::Surplus => Some(AlarmKind::InDoubt),
        AlarmKind::InDoubt => Some(AlarmKind::Quarantined),
        AlarmKind::Quarantined => Some(AlarmKind::Misconfigured),
        AlarmKind::Misconfigured => Some(AlarmKind::BankSilent),
        AlarmKind::BankSilent => Some(AlarmKind::CallWaits),
        AlarmKind::CallWaits => Some(AlarmKind::WebhookFailed),
        AlarmKind::WebhookFailed => Some(AlarmKind::StoreFailed),
        AlarmKind::StoreFailed => Some(AlarmKind::StoreRegressed),
        AlarmKind::StoreRegressed => Some(AlarmKind::Defect),
        AlarmKind::Defect => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(text: &str, kind: &str, merchant: &str) -> String {
        let start = format!("guichet_alarms_total{{kind=\"{kind}\",merchant=\"{merchant}\"}} ");
        text.lines().find_map(|line| line.strip_prefix(&start)).unwrap_or("absent").to_owned()
    }

    #[test]
    fn every_alarm_is_there_from_the_start_and_counted_when_raised() {
        let merchants: Vec<MerchantId> = vec!["east".parse().unwrap(), "west".parse().unwrap()];
        let metrics = Metrics::new(&merchants);
        let alarms = LoggedAlarms::new(&metrics);
        for _ in 0..2 {
            let (subject, detail) = ("ord_1".to_owned(), "never answered".to_owned());
            alarms.raise(Alarm { kind: AlarmKind::InDoubt, merchant: "west".to_owned(), subject, detail });
        }
        alarms.count("east", Counted::Debit("paid"));
        let text = metrics.encode();
        for (series, number) in [
            ("guichet_debits_total{outcome=\"paid\",merchant=\"east\"}", 1),
            ("guichet_debits_total{outcome=\"refused\",merchant=\"west\"}", 0),
            ("guichet_debit_runs_total{state=\"stopped\",merchant=\"west\"}", 0),
        ] {
            assert!(text.contains(&format!("{series} {number}\n")), "{series}: {text}");
        }
        let mut kinds = 0;
        for kind in every_kind() {
            kinds += 1;
            let raised = if kind == AlarmKind::InDoubt { "2" } else { "0" };
            assert_eq!(count(&text, kind.name(), "east"), "0", "{text}");
            assert_eq!(count(&text, kind.name(), "west"), raised, "{text}");
        }
        assert_eq!(kinds, 16);
        for of_all in ["store_failed", "store_regressed"] {
            assert_eq!(count(&text, of_all, ""), "0", "{text}");
        }
        assert!(text.ends_with("# EOF\n") && !text.contains("never answered"));
    }
}
