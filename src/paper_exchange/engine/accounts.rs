//! Accounts and their money: what is free, what is locked, and where everything went.
//!
//! Owns every balance. It promises that neither part of a balance goes below zero and that, per asset,
//! balances plus collected fees plus what strangers on the market hold equal what was ever paid in
//! (`audit` checks both). It does not know why money moves.

use super::event::Balance;
use super::ids::{AccountId, Asset};
use super::money::{Amount, Rate};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One asset of one account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Funds {
    pub(super) free: Amount,
    pub(super) locked: Amount,
}

/// One account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Account {
    pub(super) maker: Rate,
    pub(super) taker: Rate,
    pub(super) can_trade: bool,
    pub(super) funds: BTreeMap<Asset, Funds>,
    /// Last change of a balance, in milliseconds since the epoch.
    pub(super) updated_ms: i64,
}

/// Money outside the accounts, per asset.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Ledger {
    /// Net deposits.
    pub(super) paid_in: BTreeMap<Asset, Amount>,
    /// Collected commission.
    pub(super) fees: BTreeMap<Asset, Amount>,
    /// What strangers received less what they paid; may be negative.
    pub(super) strangers: BTreeMap<Asset, Amount>,
}

impl Account {
    /// An account without money.
    pub(super) const fn new(maker: Rate, taker: Rate, now_ms: i64) -> Self {
        Self { maker, taker, can_trade: true, funds: BTreeMap::new(), updated_ms: now_ms }
    }

    /// What may be spent.
    pub(super) fn free(&self, asset: Asset) -> Amount {
        self.funds.get(&asset).map_or(Amount::ZERO, |funds| funds.free)
    }

    /// Both parts of a balance.
    pub(super) fn balance(&self, asset: Asset) -> Balance {
        let funds = self.funds.get(&asset).copied().unwrap_or_default();
        Balance { asset, free: funds.free, locked: funds.locked }
    }

    /// Moves free money into the lock; false, and nothing moved, when there is too little.
    pub(super) fn lock(&mut self, asset: Asset, amount: Amount) -> bool {
        if amount.is_zero() {
            return true;
        }
        match self.funds.get_mut(&asset) {
            Some(funds) if funds.free >= amount => {
                funds.free -= amount;
                funds.locked += amount;
                true
            }
            _ => false,
        }
    }

    /// Settles locked money: `paid` leaves the account, `released` becomes free again.
    pub(super) fn settle(&mut self, asset: Asset, paid: Amount, released: Amount) {
        let funds = self.funds.entry(asset).or_default();
        funds.locked -= paid + released;
        funds.free += released;
    }

    /// Adds to the free part.
    pub(super) fn receive(&mut self, asset: Asset, amount: Amount) {
        self.funds.entry(asset).or_default().free += amount;
    }
}

/// All accounts and the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Bank {
    pub(super) accounts: BTreeMap<AccountId, Account>,
    pub(super) ledger: Ledger,
}

impl Bank {
    /// Pays in or, negative, out. False, and nothing moved, when the account is unknown, has too little
    /// free, or the total would leave the range in which sums cannot overflow.
    pub(super) fn adjust(&mut self, account: AccountId, asset: Asset, delta: Amount, now_ms: i64) -> bool {
        // 2^100 units per asset: the largest trade is below 2^100 as well, and there are fewer than 2^26.
        const MOST: Amount = Amount::from_units(1 << 100);
        let total = self.ledger.paid_in.get(&asset).copied().unwrap_or_default();
        let Some(total) = total.checked_add(delta).filter(|total| *total <= MOST) else { return false };
        let Some(account) = self.accounts.get_mut(&account) else { return false };
        let Some(free) = account.free(asset).checked_add(delta) else { return false };
        if free < Amount::ZERO {
            return false;
        }
        account.funds.entry(asset).or_default().free = free;
        account.updated_ms = now_ms;
        self.ledger.paid_in.insert(asset, total);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(units: i128) -> Amount {
        Amount::from_units(units)
    }

    #[test]
    fn a_lock_takes_only_what_is_free_and_settles_exactly() {
        let btc = Asset::new("BTC").unwrap();
        let mut account = Account::new(Rate::ZERO, Rate::ZERO, 0);
        account.receive(btc, amount(10));
        assert!(!account.lock(btc, amount(11)));
        assert!(account.lock(btc, amount(10)));
        account.settle(btc, amount(4), amount(5));
        assert_eq!(account.balance(btc), Balance { asset: btc, free: amount(5), locked: amount(1) });
    }

    #[test]
    fn adjustments_never_overdraw_or_overflow() {
        let usdt = Asset::new("USDT").unwrap();
        let mut bank = Bank::default();
        assert!(!bank.adjust(AccountId(1), usdt, amount(1), 0), "unknown account");
        bank.accounts.insert(AccountId(1), Account::new(Rate::ZERO, Rate::ZERO, 0));
        assert!(bank.adjust(AccountId(1), usdt, amount(5), 0));
        assert!(!bank.adjust(AccountId(1), usdt, amount(-6), 0));
        assert!(!bank.adjust(AccountId(1), usdt, Amount::MAX, 0));
        assert!(bank.adjust(AccountId(1), usdt, amount(-5), 0));
    }
}
