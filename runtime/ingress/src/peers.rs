//! One account a peer: how much of the mailbox it fills, and whether it may speak.
//!
//! Law: an account lives while someone may push through it, something of it waits, or a block
//! must be remembered; accounts are bounded in number.

use std::collections::{BTreeMap, BTreeSet};

use crate::refusal::Refusal;

/// The place of an account, so that a push finds it without comparing keys.
pub(crate) type PeerIndex = u32;

#[derive(Debug)]
struct Account<K> {
    key: K,
    doors: usize,
    items: usize,
    bytes: u64,
    blocked: bool,
    /// Whether it is among those that are allowed.
    allowed: bool,
}

/// All accounts.
#[derive(Debug)]
pub(crate) struct Peers<K> {
    by_key: BTreeMap<K, PeerIndex>,
    accounts: Vec<Option<Account<K>>>,
    free: Vec<PeerIndex>,
    /// Those that may speak; nothing means everyone. Few mailboxes have any.
    #[expect(
        clippy::box_collection,
        reason = "a list in place would cost every idle mailbox 16 bytes"
    )]
    allowed: Option<Box<BTreeSet<K>>>,
}

impl<K: Ord + Clone> Peers<K> {
    pub(crate) fn new() -> Self {
        let (accounts, free) = (Vec::new(), Vec::new());
        Self { by_key: BTreeMap::new(), accounts, free, allowed: None }
    }

    pub(crate) fn len(&self) -> usize {
        self.by_key.len()
    }

    /// The account of `key`, opened if need be; `None` when there are `cap`.
    fn account(&mut self, key: &K, cap: usize) -> Option<PeerIndex> {
        if let Some(&index) = self.by_key.get(key) {
            return Some(index);
        }
        if self.by_key.len() >= cap {
            return None;
        }
        let index = match self.free.pop() {
            Some(index) => index,
            None => {
                let index = PeerIndex::try_from(self.accounts.len()).ok()?;
                self.accounts.push(None);
                index
            }
        };
        let (key_kept, allowed) = (key.clone(), self.is_listed(key));
        let account =
            Account { key: key_kept, doors: 0, items: 0, bytes: 0, blocked: false, allowed };
        *self.accounts.get_mut(index as usize)? = Some(account);
        self.by_key.insert(key.clone(), index);
        Some(index)
    }

    fn at(&mut self, index: PeerIndex) -> Option<&mut Account<K>> {
        self.accounts.get_mut(index as usize)?.as_mut()
    }

    fn close_if_unused(&mut self, index: PeerIndex) {
        let Some(account) = self.at(index) else {
            return;
        };
        if account.doors > 0 || account.items > 0 || account.blocked {
            return;
        }
        let key = account.key.clone();
        self.by_key.remove(&key);
        if let Some(place) = self.accounts.get_mut(index as usize) {
            *place = None;
        }
        self.free.push(index);
    }

    pub(crate) fn open_door(&mut self, key: &K, cap: usize) -> Option<PeerIndex> {
        let index = self.account(key, cap)?;
        self.add_door(index);
        Some(index)
    }

    pub(crate) fn add_door(&mut self, index: PeerIndex) {
        if let Some(account) = self.at(index) {
            account.doors += 1;
        }
    }

    pub(crate) fn close_door(&mut self, index: PeerIndex) {
        if let Some(account) = self.at(index) {
            account.doors = account.doors.saturating_sub(1);
        }
        self.close_if_unused(index);
    }

    /// Blocks `key`, whether it was seen before or not; `None` when no more accounts may be.
    pub(crate) fn block(&mut self, key: &K, cap: usize) -> Option<PeerIndex> {
        let index = self.account(key, cap)?;
        self.at(index)?.blocked = true;
        Some(index)
    }

    pub(crate) fn unblock(&mut self, key: &K) {
        let Some(&index) = self.by_key.get(key) else {
            return;
        };
        if let Some(account) = self.at(index) {
            account.blocked = false;
        }
        self.close_if_unused(index);
    }

    /// Allows these and nobody else, or everyone; gives back who was allowed before.
    pub(crate) fn allow(&mut self, allowed: Option<BTreeSet<K>>) -> Option<BTreeSet<K>> {
        let before = std::mem::replace(&mut self.allowed, allowed.map(Box::new));
        for account in self.accounts.iter_mut().flatten() {
            account.allowed = self.allowed.as_ref().is_none_or(|list| list.contains(&account.key));
        }
        before.map(|before| *before)
    }

    fn is_listed(&self, key: &K) -> bool {
        self.allowed.as_ref().is_none_or(|list| list.contains(key))
    }

    /// Whether a peer may speak.
    pub(crate) fn may_speak(&self, index: PeerIndex) -> Result<(), Refusal> {
        match self.accounts.get(index as usize) {
            Some(Some(account)) if account.blocked => Err(Refusal::Blocked),
            Some(Some(account)) if !account.allowed => Err(Refusal::NotAllowed),
            _ => Ok(()),
        }
    }

    /// Events and bytes of a peer that wait now.
    pub(crate) fn waiting(&self, index: PeerIndex) -> (usize, u64) {
        match self.accounts.get(index as usize) {
            Some(Some(account)) => (account.items, account.bytes),
            _ => (0, 0),
        }
    }

    pub(crate) fn add(&mut self, index: PeerIndex, weight: u64) {
        if let Some(account) = self.at(index) {
            account.items += 1;
            account.bytes += weight;
        }
    }

    pub(crate) fn remove(&mut self, index: PeerIndex, weight: u64) {
        if let Some(account) = self.at(index) {
            account.items = account.items.saturating_sub(1);
            account.bytes = account.bytes.saturating_sub(weight);
        }
        self.close_if_unused(index);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_ends_with_its_last_use_and_its_place_is_used_again() {
        let mut peers = Peers::new();
        let first = peers.open_door(&"a", 1).expect("one account fits");
        peers.add(first, 7);
        peers.close_door(first);
        assert_eq!(peers.waiting(first), (1, 7));
        assert_eq!(peers.open_door(&"b", 1), None, "the account is still in use");

        peers.remove(first, 7);
        assert_eq!(peers.len(), 0);
        assert_eq!(peers.open_door(&"b", 1), Some(first));
    }

    #[test]
    fn whoever_is_not_allowed_may_not_speak_whenever_its_account_was_opened() {
        let mut peers = Peers::new();
        let before = peers.open_door(&"a", 4).expect("an account fits");
        assert_eq!(peers.allow(Some(BTreeSet::from(["b"]))), None);
        let [after, listed] = ["c", "b"].map(|key| peers.open_door(&key, 4).expect("it fits"));
        assert_eq!(
            [before, after, listed].map(|door| peers.may_speak(door)),
            [Err(Refusal::NotAllowed), Err(Refusal::NotAllowed), Ok(())]
        );
        assert_eq!(peers.allow(None), Some(BTreeSet::from(["b"])));
        assert_eq!(peers.may_speak(before), Ok(()));
    }

    #[test]
    fn a_block_is_remembered_without_any_door() {
        let mut peers = Peers::new();
        peers.block(&"a", 4);
        let door = peers.open_door(&"a", 4).expect("the account exists");
        assert_eq!(peers.may_speak(door), Err(Refusal::Blocked));
        peers.close_door(door);
        assert_eq!(peers.len(), 1);
        peers.unblock(&"a");
        assert_eq!(peers.len(), 0);
    }
}
