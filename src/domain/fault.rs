//! What is wrong with a request, and where: all of it at once, in words that `http` translates.

use super::text::TextFault;

/// One thing that is wrong, at a place of the caller's document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// A JSON Pointer into the request, `/lines/0/quantity`.
    pub pointer: String,
    pub kind: FaultKind,
}

/// The kinds of wrong there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultKind {
    Text(TextFault),
    /// No lines at all; a free order has a line of 0,00.
    NoLines,
    TooMany {
        max: usize,
    },
    /// A decimal outside its bounds, or with more decimals than its kind has.
    DecimalOutOfRange {
        min: &'static str,
        max: &'static str,
        decimals: u32,
    },
    AmountOutOfRange,
    CurrencyMismatch,
    /// The merchant is not paid in this currency.
    CurrencyNotAccepted,
    /// A total above zero and below what the merchant takes by card.
    BelowMinimum {
        minimum: i64,
    },
    EmailInvalid,
    CountryUnknown,
    PhoneInvalid,
    /// Nothing is left of it in the characters that PAYBOX takes.
    NothingLeft,
    /// It names something that does not exist, or is not the caller's.
    Unknown,
    DuplicateId,
    UrlInvalid,
    UrlNotHttps,
    UrlTooLong {
        max: usize,
    },
    /// The merchant does not send payers there.
    UrlOriginNotAllowed,
    /// The gateway does not call there: not a public address.
    UrlNotPublic,
    /// It is not one of the values that exist.
    NotOneOf(&'static [&'static str]),
    /// Not a number where one is expected, a text too many.
    WrongType,
    UnknownField,
    Missing,
    /// The file is not in UTF-8.
    NotUtf8,
    /// A cell's quotes are not closed, or something follows them.
    QuotesOpen,
    /// A line that has not the header's number of cells.
    UnevenLine {
        cells: usize,
    },
    NotADay,
    NotAnAmount {
        decimals: u32,
    },
    /// Gross less fees is not net.
    DoesNotAddUp,
    /// It does not go with the rest of the request.
    NotWithThis,
}

impl Fault {
    pub fn new(pointer: impl Into<String>, kind: FaultKind) -> Self {
        Self { pointer: pointer.into(), kind }
    }
}
