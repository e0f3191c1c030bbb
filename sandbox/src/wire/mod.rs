//! What crosses the wire, whatever the service: form fields, keyed digests, PAYBOX's signature.
//! Nothing here knows about payments, and nothing is shared with the gateway but `contracts/`.

pub mod form;
pub mod mac;
pub mod signature;
