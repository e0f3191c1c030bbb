//! The world behind the ports.

pub mod alarms;
pub mod ppps;
