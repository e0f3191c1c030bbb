//! The hosted payment page: the signed request, the card, 3-D Secure, the way back to the shop.

pub mod billing;
pub mod formats;
pub mod html;
pub mod payment;
pub mod request;
pub mod retour;
pub mod session;
pub mod walk;
