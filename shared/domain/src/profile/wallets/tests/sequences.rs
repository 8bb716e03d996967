//! Thousands of links and changes in a row: the rules hold in any order.

use super::*;

/// Deterministic pseudo-random numbers (xorshift64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).expect("31 bits") % end
    }

    fn some_of<const N: usize>(&mut self, all: [Capability; N]) -> Vec<Capability> {
        all.into_iter().filter(|_| self.below(2) == 1).collect()
    }

    fn sometimes<T>(&mut self, value: impl FnOnce(&mut Self) -> T) -> Option<T> {
        (self.below(3) > 0).then(|| value(self))
    }
}

#[test]
fn any_sequence_of_changes_leaves_the_rules_standing() {
    let addresses: Vec<WalletAddress> = (0..24).map(solana).chain((0..3).map(evm)).collect();
    let mut seen = [0_usize; 6];
    for seed in 1..=400 {
        let mut numbers = Numbers(0x9E37_79B9_7F4A_7C15 ^ seed);
        let mut profile = profile(addresses[numbers.below(addresses.len())].clone(), &Capability::ALL);
        for _ in 0..60 {
            let before = profile.clone();
            let after = if numbers.below(3) == 0 {
                let capabilities = numbers.some_of(Capability::ALL);
                let linked = profile.link(wallet(addresses[numbers.below(addresses.len())].clone(), &capabilities));
                seen[usize::from(linked.is_ok())] += 1;
                linked.ok()
            } else {
                let change = WalletChange {
                    capabilities: numbers.sometimes(|numbers| numbers.some_of(Capability::ALL)),
                    default_for: numbers.sometimes(|numbers| numbers.some_of(Capability::WITH_DEFAULT)),
                    status: numbers
                        .sometimes(|numbers| if numbers.below(3) == 0 { WalletStatus::Disabled } else { WalletStatus::Active }),
                };
                let at = numbers.below(profile.wallets.len());
                let changed = profile.change_wallet(profile.wallets[at].id, &change);
                seen[match &changed {
                    Ok(_) => 2,
                    Err(ChangeWalletError::CannotBeDefault(_)) => 3,
                    Err(ChangeWalletError::WouldStrand) => 4,
                    Err(ChangeWalletError::NotFound) => 5,
                }] += 1;
                if let Ok(after) = &changed {
                    for wanted in change.default_for.iter().flatten() {
                        assert!(after.wallets[at].default_for.contains(wanted), "{change:?}");
                    }
                    let others = |profile: &Profile| {
                        profile.wallets.iter().map(|w| (w.id, w.capabilities.clone(), w.status)).collect::<Vec<_>>()
                    };
                    let (mut was, mut is) = (others(&before), others(after));
                    was.remove(at);
                    is.remove(at);
                    assert_eq!(was, is, "a change of one wallet changed another's abilities");
                }
                changed.ok()
            };
            if let Some(after) = after {
                assert_truthful(&after);
                assert_eq!(after.version, before.version + u64::from(after != before), "{before:?}\n{after:?}");
                profile = after;
            }
        }
    }
    assert!(seen[..5].iter().all(|times| *times > 100) && seen[5] == 0, "{seen:?}");
}
