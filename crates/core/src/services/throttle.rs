//! How often may be asked (reference 7.4). Rates are counted by each node for itself, in buckets that hold what one
//! second brings; none is set unless the operator sets it.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

use crate::access::Action;
use crate::error::{Error, Result};
use crate::model::{AccountId, TokenId};

/// Who has not asked for a second is forgotten, each time that so many questions were counted.
const QUESTIONS_BETWEEN_SWEEPS: u32 = 1 << 16;

/// Requests a second; `None` is any number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rates {
    /// With one authorization token.
    pub token: Option<NonZeroU32>,
    /// Without credentials, or with such that are not known, from one address.
    pub stranger: Option<NonZeroU32>,
    /// Reads of one account's principals, of the API and of packages together.
    pub account_reads: Option<NonZeroU32>,
    /// Writes, likewise.
    pub account_writes: Option<NonZeroU32>,
    /// Single operations of the API, by one account's principals.
    pub operations: HashMap<Action, NonZeroU32>,
}

impl Rates {
    /// Those of CodeArtifact.
    #[must_use]
    pub fn codeartifact() -> Self {
        let operations = [
            (Action::CopyPackageVersions, 5),
            (Action::PublishPackageVersion, 10),
            (Action::GetAuthorizationToken, 40),
            (Action::GetPackageVersionAsset, 50),
            (Action::ListPackages, 200),
            (Action::ListPackageVersions, 200),
            (Action::ListPackageVersionAssets, 200),
        ];
        Self {
            token: NonZeroU32::new(1200),
            stranger: NonZeroU32::new(600),
            account_reads: NonZeroU32::new(800),
            account_writes: NonZeroU32::new(100),
            operations: operations
                .into_iter()
                .filter_map(|(action, rate)| Some((action, NonZeroU32::new(rate)?)))
                .collect(),
        }
    }
}

/// What a request does to what it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    Read,
    Write,
}

/// Counts requests and refuses those beyond the rates.
#[derive(Debug)]
pub struct Throttle {
    tokens: Option<Gate<TokenId>>,
    strangers: Option<Gate<IpAddr>>,
    reads: Option<Gate<AccountId>>,
    writes: Option<Gate<AccountId>>,
    operations: HashMap<Action, Gate<AccountId>>,
}

impl Throttle {
    /// Keeps to these rates; `None` if there are none.
    #[must_use]
    pub fn new(rates: &Rates) -> Option<Self> {
        (*rates != Rates::default()).then(|| Self {
            tokens: rates.token.map(Gate::new),
            strangers: rates.stranger.map(Gate::new),
            reads: rates.account_reads.map(Gate::new),
            writes: rates.account_writes.map(Gate::new),
            operations: rates.operations.iter().map(|(action, rate)| (*action, Gate::new(*rate))).collect(),
        })
    }

    /// A request without known credentials.
    ///
    /// # Errors
    /// [`Error::Throttled`].
    pub fn count_stranger(&self, address: IpAddr) -> Result<()> {
        self.strangers.as_ref().map_or(Ok(()), |gate| gate.enter(&network(address)))
    }

    /// A request with an authorization token of this account's principal.
    ///
    /// # Errors
    /// [`Error::Throttled`].
    pub fn count_request(&self, token: &TokenId, account: &AccountId, effort: Effort) -> Result<()> {
        self.tokens.as_ref().map_or(Ok(()), |gate| gate.enter(token))?;
        self.count_effort(account, effort)
    }

    /// A call of the API by this account's principal.
    ///
    /// # Errors
    /// [`Error::Throttled`].
    pub fn count_call(&self, account: &AccountId, action: Action) -> Result<()> {
        self.operations.get(&action).map_or(Ok(()), |gate| gate.enter(account))?;
        self.count_effort(account, if action.is_read() { Effort::Read } else { Effort::Write })
    }

    fn count_effort(&self, account: &AccountId, effort: Effort) -> Result<()> {
        let gate = match effort {
            Effort::Read => &self.reads,
            Effort::Write => &self.writes,
        };
        gate.as_ref().map_or(Ok(()), |gate| gate.enter(account))
    }
}

/// Whoever has one address of version 6 has the whole network of 64 bits.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        version4 => version4,
    }
}

/// One rate, kept for each key by itself.
#[derive(Debug)]
struct Gate<K: Hash + Eq + Clone> {
    limiter: RateLimiter<K, HashMapStateStore<K>, DefaultClock>,
    clock: DefaultClock,
    until_sweep: AtomicU32,
}

impl<K: Hash + Eq + Clone> Gate<K> {
    fn new(a_second: NonZeroU32) -> Self {
        Self {
            limiter: RateLimiter::hashmap(Quota::per_second(a_second)),
            clock: DefaultClock::default(),
            until_sweep: AtomicU32::new(0),
        }
    }

    fn enter(&self, key: &K) -> Result<()> {
        if self.until_sweep.fetch_add(1, Ordering::Relaxed) % QUESTIONS_BETWEEN_SWEEPS == QUESTIONS_BETWEEN_SWEEPS - 1 {
            self.limiter.retain_recent();
        }
        self.limiter.check_key(key).map_err(|refused| {
            let wait = refused.wait_time_from(self.clock.now());
            Error::Throttled { retry_after_seconds: whole_seconds(wait) }
        })
    }
}

/// At least one: a header says no less.
fn whole_seconds(wait: Duration) -> u32 {
    let rounded_up = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    u32::try_from(rounded_up.max(1)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one_a_second() -> Option<NonZeroU32> {
        NonZeroU32::new(1)
    }

    /// How many of a hundred at once are let through.
    fn passed(mut ask: impl FnMut() -> Result<()>) -> usize {
        (0..100).filter(|_| ask().is_ok()).count()
    }

    #[test]
    fn without_rates_nothing_is_counted() {
        assert!(Throttle::new(&Rates::default()).is_none());
    }

    #[test]
    fn each_token_has_a_rate_of_its_own() {
        let throttle = Throttle::new(&Rates { token: one_a_second(), ..Rates::default() }).unwrap();
        let account = AccountId::new("123456789012").unwrap();
        let ask = |token: &str| throttle.count_request(&TokenId(token.to_owned()), &account, Effort::Read);
        assert!(passed(|| ask("a")) < 10);
        assert!(ask("b").is_ok());
    }

    #[test]
    fn what_is_refused_says_when_to_come_back() {
        let throttle = Throttle::new(&Rates { stranger: one_a_second(), ..Rates::default() }).unwrap();
        let refused = (0..100).find_map(|_| throttle.count_stranger(IpAddr::from([127, 0, 0, 1])).err());
        assert!(matches!(refused, Some(Error::Throttled { retry_after_seconds: 1 })), "{refused:?}");
    }

    #[test]
    fn a_network_of_64_bits_is_one_stranger() {
        let throttle = Throttle::new(&Rates { stranger: one_a_second(), ..Rates::default() }).unwrap();
        let ask = |last: u16| throttle.count_stranger(Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, last).into());
        assert!((0..100).filter(|last| ask(*last).is_ok()).count() < 10);
        assert!(throttle.count_stranger(Ipv6Addr::new(0x2001, 0xdb8, 0, 2, 0, 0, 0, 1).into()).is_ok());
    }

    #[test]
    fn reads_and_writes_of_an_account_are_counted_apart() {
        let throttle = Throttle::new(&Rates { account_writes: one_a_second(), ..Rates::default() }).unwrap();
        let account = AccountId::new("123456789012").unwrap();
        assert_eq!(passed(|| throttle.count_call(&account, Action::ListPackages)), 100);
        assert!(passed(|| throttle.count_call(&account, Action::DeletePackage)) < 10);
    }

    #[test]
    fn an_operation_has_a_rate_beside_its_accounts() {
        let rates =
            Rates { operations: HashMap::from([(Action::GetAuthorizationToken, NonZeroU32::MIN)]), ..Rates::default() };
        let throttle = Throttle::new(&rates).unwrap();
        let account = AccountId::new("123456789012").unwrap();
        assert!(passed(|| throttle.count_call(&account, Action::GetAuthorizationToken)) < 10);
        assert_eq!(passed(|| throttle.count_call(&account, Action::DescribeDomain)), 100);
    }

    #[test]
    fn who_is_quiet_is_forgotten() {
        let gate = Gate::<u32>::new(NonZeroU32::new(u32::MAX).unwrap());
        for key in 0..3 * QUESTIONS_BETWEEN_SWEEPS {
            gate.enter(&key).unwrap();
        }
        assert!(gate.limiter.len() <= QUESTIONS_BETWEEN_SWEEPS as usize, "{}", gate.limiter.len());
    }
}
