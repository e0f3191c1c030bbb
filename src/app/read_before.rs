//! Orders as they were read a moment ago, by their text.
//!
//! Whoever attends to an order reads it several times in a row, and mostly it is the same: reading its JSON is most of the
//! work that the gateway itself does.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use crate::domain::{ids::OrderId, order::Order};

/// Orders that are kept: more than are attended to at once.
const KEPT: usize = 256;

#[derive(Default)]
pub(super) struct ReadBefore {
    orders: Mutex<BTreeMap<OrderId, (String, Order)>>,
}

impl ReadBefore {
    /// The order that this text is. Only the very same text is not read again.
    ///
    /// # Errors
    /// When it is no order.
    pub(super) fn read(&self, id: OrderId, state: String) -> Result<Order, serde_json::Error> {
        let known = |orders: &BTreeMap<OrderId, (String, Order)>| {
            orders.get(&id).filter(|(text, _)| *text == state).map(|(_, order)| order.clone())
        };
        if let Some(order) = known(&self.orders.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(order);
        }
        let order: Order = serde_json::from_str(&state)?;
        let mut orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        if orders.len() >= KEPT && !orders.contains_key(&id) {
            orders.pop_first();
        }
        orders.insert(id, (state, order.clone()));
        Ok(order)
    }
}
