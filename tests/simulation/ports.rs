//! The smaller ports: clock, entropy, vault, alarms, hosts of the page, notifier.

use std::time::Duration;

use async_trait::async_trait;
use guichet::{
    domain::{attempt::Host, fault::FaultKind, ids::MerchantId},
    ports::{Alarm, AlarmKind, Alarms, Clock, Delivery, Entropy, NotDelivered, Notifier, PageHosts, Vault, VaultError},
};
use jiff::{SignedDuration, Timestamp};

use crate::{invariants, world::World};

pub(crate) struct SimClock {
    pub(crate) world: World,
    pub(crate) process: usize,
    pub(crate) skew: SignedDuration,
}

#[async_trait]
impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        self.world.with(|inner| inner.now + inner.clock_steps[self.process]) + self.skew
    }

    fn wall(&self) -> Timestamp {
        self.now()
    }

    fn since_boot(&self) -> Duration {
        self.world.with(|inner| inner.now.duration_since(inner.booted)).unsigned_abs()
    }

    async fn sleep_until(&self, moment: Duration) {
        let booted = self.world.with(|inner| inner.booted);
        self.world.sleep_until(booted + moment).await;
    }
}

pub(crate) struct SimEntropy(pub(crate) World);

impl Entropy for SimEntropy {
    fn id(&self, now: Timestamp) -> u128 {
        let random = u128::from(self.0.with(|inner| inner.names.next()));
        (u128::try_from(now.as_millisecond()).unwrap() << 80) | random
    }

    fn secret(&self) -> [u8; 32] {
        let mut secret = [0; 32];
        for chunk in secret.chunks_exact_mut(8) {
            chunk.copy_from_slice(&self.0.with(|inner| inner.names.next()).to_be_bytes());
        }
        secret
    }
}

/// Hides what it seals from whoever looks for it in clear, and opens only what was sealed under the same context.
pub(crate) struct SimVault;

fn veiled(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|byte| byte ^ 0x5a).collect()
}

impl Vault for SimVault {
    fn seal(&self, plain: &[u8], context: &str) -> Result<Vec<u8>, VaultError> {
        Ok(veiled(&[context.as_bytes(), b"\0", plain].concat()))
    }

    fn open(&self, sealed: &[u8], context: &str) -> Result<Vec<u8>, VaultError> {
        let clear = veiled(sealed);
        let opened = clear.strip_prefix(context.as_bytes()).and_then(|rest| rest.strip_prefix(b"\0"));
        opened.map(<[u8]>::to_vec).ok_or(VaultError)
    }
}

pub(crate) struct SimAlarms(pub(crate) World);

impl Alarms for SimAlarms {
    fn raise(&self, alarm: Alarm) {
        self.0.with(|inner| {
            inner.log(format_args!("alarm {}: {} {}", alarm.kind.name(), alarm.subject, alarm.detail));
            invariants::secrets::in_clear(inner, "an alarm", &alarm.detail);
            inner
                .owed_alarms
                .retain(|owed| !(owed.is_due && owed.kind == alarm.kind.name() && owed.order == alarm.subject));
            if alarm.kind == AlarmKind::Defect {
                inner.violate("defect", format!("{} {}", alarm.subject, alarm.detail));
            }
            inner.alarms.insert((alarm.kind.name(), alarm.subject));
        });
    }
}

pub(crate) struct SimPages(pub(crate) World);

impl PageHosts for SimPages {
    fn in_service(&self, _merchant: &MerchantId) -> Host {
        self.0.with(|inner| if inner.bank.is_up(Host::Main, inner.now) { Host::Main } else { Host::Backup })
    }
}

/// Nobody wants to be told in these worlds.
pub(crate) struct NoNotifier;

#[async_trait]
impl Notifier for NoNotifier {
    fn check(&self, _url: &str) -> Result<(), FaultKind> {
        Ok(())
    }

    async fn deliver(&self, _delivery: &Delivery) -> Result<u16, NotDelivered> {
        Err(NotDelivered::Connect)
    }
}
