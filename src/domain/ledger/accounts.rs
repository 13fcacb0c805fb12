//! What each asset's balance ought to be: where the books began, and everything booked since.
//!
//! Compared with the venue's word by the order management; a difference that stays is a fill that was missed,
//! booked twice, or somebody else's doing.

use super::exact;
use crate::domain::ids::Asset;
use crate::domain::money::Amount;
use crate::domain::order_types::Balance;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One asset at one venue, in its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Account {
    /// The venue's total when the books began.
    pub baseline: Amount,
    /// In and out by fills.
    pub flows: Amount,
    /// Fees paid (rebates negative).
    pub fees: Amount,
    /// Deposits less withdrawals and transfers.
    pub moves: Amount,
}

impl Account {
    /// What the venue should show, free and locked together; `None` on overflow.
    #[must_use]
    pub fn expected(&self) -> Option<Amount> {
        let sum = exact::add(exact::add(self.baseline, self.flows)?, self.moves)?;
        exact::sub(sum, self.fees)
    }

    fn plus(&self, change: &Self) -> Option<Self> {
        let sum = Self {
            baseline: exact::add(self.baseline, change.baseline)?,
            flows: exact::add(self.flows, change.flows)?,
            fees: exact::add(self.fees, change.fees)?,
            moves: exact::add(self.moves, change.moves)?,
        };
        sum.expected().map(|_| sum)
    }

    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// All assets of one venue.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Accounts {
    pub(super) begun: bool,
    pub(super) assets: BTreeMap<Asset, Account>,
}

impl Accounts {
    /// Adds to the parts of some assets: all of them, or, when a figure does not fit, none (`None`).
    pub(super) fn change(&mut self, changes: &[(&Asset, Account)]) -> Option<()> {
        let mut next: Vec<(&Asset, Account)> = Vec::with_capacity(changes.len());
        for (asset, change) in changes {
            // The fee's asset is often the base or the quote asset.
            let earlier = next.iter().find(|(named, _)| named == asset).map(|(_, account)| *account);
            let held = earlier.or_else(|| self.assets.get(*asset).copied()).unwrap_or_default();
            let sum = held.plus(change)?;
            next.retain(|(named, _)| named != asset);
            next.push((asset, sum));
        }
        for (asset, account) in next {
            if account.is_empty() {
                self.assets.remove(asset);
            } else {
                self.assets.insert(asset.clone(), account);
            }
        }
        Some(())
    }

    /// Begins anew at the venue's word.
    pub(super) fn begin(&mut self, balances: &[Balance]) -> Option<()> {
        let mut assets = BTreeMap::new();
        for balance in balances {
            let baseline = exact::add(balance.free, balance.locked)?;
            if !baseline.is_zero() {
                assets.insert(balance.asset.clone(), Account { baseline, ..Account::default() });
            }
        }
        *self = Self { begun: true, assets };
        Some(())
    }

    /// What the venue should show, per asset; `None` before the beginning. Assets at zero are not listed.
    pub(super) fn expected(&self) -> Option<BTreeMap<Asset, Amount>> {
        if !self.begun {
            return None;
        }
        self.assets.iter().map(|(asset, account)| Some((asset.clone(), account.expected()?))).collect()
    }
}
