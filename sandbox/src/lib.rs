//! A PAYBOX on loopback.
