//! The TYPEs of PPPS, and which fields each one needs.

/// Whose card an operation is about: one typed in, or one stored (Direct Plus, 0005x).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    Card,
    Subscriber,
}

/// What a question asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    Authorise(Holder),
    Capture(Holder),
    /// Authorisation and capture.
    Debit(Holder),
    /// Money out without a payment behind it.
    Credit(Holder),
    Cancel(Holder),
    /// A debit without asking the bank.
    Force(Holder),
    Enquiry,
    ChangeAmount,
    Refund,
    Consultation,
    Register,
    /// Other card data for a subscriber.
    Replace,
    /// The end of a subscriber.
    Forget,
}

const TYPES: [(&str, Type); 19] = [
    ("00001", Type::Authorise(Holder::Card)),
    ("00002", Type::Capture(Holder::Card)),
    ("00003", Type::Debit(Holder::Card)),
    ("00004", Type::Credit(Holder::Card)),
    ("00005", Type::Cancel(Holder::Card)),
    ("00011", Type::Enquiry),
    ("00012", Type::Force(Holder::Card)),
    ("00013", Type::ChangeAmount),
    ("00014", Type::Refund),
    ("00017", Type::Consultation),
    ("00051", Type::Authorise(Holder::Subscriber)),
    ("00052", Type::Capture(Holder::Subscriber)),
    ("00053", Type::Debit(Holder::Subscriber)),
    ("00054", Type::Credit(Holder::Subscriber)),
    ("00055", Type::Cancel(Holder::Subscriber)),
    ("00056", Type::Register),
    ("00057", Type::Replace),
    ("00058", Type::Forget),
    ("00061", Type::Force(Holder::Subscriber)),
];

impl Type {
    /// Reads TYPE.
    #[must_use]
    pub fn of(code: &str) -> Option<Self> {
        TYPES.iter().find(|(known, _)| *known == code).map(|(_, kind)| *kind)
    }

    /// Writes TYPE.
    #[must_use]
    pub fn code(self) -> &'static str {
        TYPES.iter().find(|(_, kind)| *kind == self).map_or("", |(code, _)| code)
    }

    /// Whether MONTANT belongs to it.
    #[must_use]
    pub fn has_amount(self) -> bool {
        !matches!(self, Self::Consultation | Self::Forget)
    }

    /// Whether DEVISE must be there. 00013 may do without it.
    #[must_use]
    pub fn needs_currency(self) -> bool {
        self.has_amount() && self != Self::ChangeAmount
    }

    /// Whether REFERENCE must be there.
    #[must_use]
    pub fn needs_reference(self) -> bool {
        match self {
            Self::Authorise(_)
            | Self::Capture(_)
            | Self::Debit(_)
            | Self::Credit(_)
            | Self::Cancel(_)
            | Self::Force(_)
            | Self::Enquiry => true,
            Self::ChangeAmount | Self::Refund | Self::Consultation | Self::Register | Self::Replace | Self::Forget => {
                false
            }
        }
    }

    /// Whether ACTIVITE belongs to it, because money moves.
    #[must_use]
    pub fn moves_money(self) -> bool {
        self.has_amount() && !matches!(self, Self::Enquiry | Self::ChangeAmount)
    }

    /// Whether REFABONNE must name a known subscriber.
    #[must_use]
    pub fn needs_subscriber(self) -> bool {
        match self {
            Self::Authorise(holder)
            | Self::Capture(holder)
            | Self::Debit(holder)
            | Self::Credit(holder)
            | Self::Cancel(holder)
            | Self::Force(holder) => holder == Holder::Subscriber,
            Self::Replace | Self::Forget => true,
            Self::Enquiry | Self::ChangeAmount | Self::Refund | Self::Consultation | Self::Register => false,
        }
    }

    /// Whether it is of Direct Plus, which VERSION 00103 does not have.
    #[must_use]
    pub fn is_direct_plus(self) -> bool {
        self.needs_subscriber() || self == Self::Register
    }

    /// Whether PORTEUR and DATEVAL hold a card.
    #[must_use]
    pub fn presents_card(self) -> bool {
        self.needs_cvv() || matches!(self, Self::Register | Self::Replace)
    }

    /// Whether PORTEUR and DATEVAL hold a token and its expiry.
    #[must_use]
    pub fn presents_token(self) -> bool {
        self.is_on(Holder::Subscriber)
    }

    /// Whether the contract may ask for CVV.
    #[must_use]
    pub fn needs_cvv(self) -> bool {
        self.is_on(Holder::Card)
    }

    fn is_on(self, wanted: Holder) -> bool {
        match self {
            Self::Authorise(holder) | Self::Debit(holder) | Self::Credit(holder) | Self::Force(holder) => {
                holder == wanted
            }
            Self::Capture(_)
            | Self::Cancel(_)
            | Self::Enquiry
            | Self::ChangeAmount
            | Self::Refund
            | Self::Consultation
            | Self::Register
            | Self::Replace
            | Self::Forget => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_is_written_as_it_is_read() {
        for (code, kind) in TYPES {
            assert_eq!((Type::of(code), kind.code()), (Some(kind), code));
        }
        assert_eq!(Type::of("00099"), None);
    }
}
