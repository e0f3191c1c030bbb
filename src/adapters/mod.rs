<<<<<<< HEAD
//! The world behind the ports: the bank, where things are kept, what time it is, what nobody can guess, who is told.

pub mod alarms;
pub mod clock;
pub mod entropy;
pub mod ppps;
pub mod sqlite;
pub mod vault;
=======
//! The world behind the ports.

pub mod alarms;
pub mod ppps;
>>>>>>> 82f0d5076cbe9008330fadb9a2b6891f97122136
