//! Each rule of linking and changing on its own.

use time::OffsetDateTime;

use super::super::{AccountType, Role, STARTING_SCORE, WalletStatus};
use super::*;
use crate::debt::Standing;
use crate::ids::ProfileId;
use crate::unknown::Unknown;

use Capability::{Auth, Payment, Payout, Recovery};

mod sequences;

const EVM: [&str; 3] = [
    "0x52908400098527886E0F7030069857D2E4169EE7",
    "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
    "0xde709f2102306220921060314715629080e2fb77",
];

fn evm(n: usize) -> WalletAddress {
    WalletAddress::parse(EVM[n]).expect("an address")
}

fn solana(n: u8) -> WalletAddress {
    let key = ed25519_dalek::SigningKey::from_bytes(&[n + 1; 32]);
    WalletAddress::of_solana_key(&key.verifying_key()).expect("an address")
}

fn wallet(address: WalletAddress, capabilities: &[Capability]) -> Wallet {
    Wallet {
        id: WalletId::generate(OffsetDateTime::UNIX_EPOCH),
        address,
        capabilities: capabilities.to_vec(),
        default_for: Vec::new(),
        status: WalletStatus::Active,
        created_ms: 0,
        unknown: Unknown::default(),
    }
}

/// A profile as registration creates it.
fn profile(address: WalletAddress, capabilities: &[Capability]) -> Profile {
    let mut first = wallet(address, capabilities);
    first.default_for = Capability::WITH_DEFAULT.into_iter().filter(|c| capabilities.contains(c)).collect();
    Profile {
        id: ProfileId::generate(OffsetDateTime::UNIX_EPOCH),
        account_type: AccountType::Agent,
        display_name: "Ada".into(),
        description: None,
        role: Role::Both,
        score: STARTING_SCORE,
        wallets: vec![first],
        operator: None,
        listing_count: 0,
        claim_count: 0,
        standing: Standing::default(),
        suspended: None,
        summaries_stale: false,
        version: 1,
        created_ms: 0,
        unknown: Unknown::default(),
    }
}

/// Three Solana wallets, the first one registered, each able to do everything.
fn three() -> Profile {
    let profile = profile(solana(0), &Capability::ALL).link(wallet(solana(1), &Capability::ALL)).expect("linked");
    profile.link(wallet(solana(2), &Capability::ALL)).expect("linked")
}

fn change(id: WalletId, profile: &Profile, change: &WalletChange) -> Profile {
    let after = profile.change_wallet(id, change).expect("changed");
    assert_truthful(&after);
    after
}

fn defaults(profile: &Profile) -> Vec<Vec<Capability>> {
    profile.wallets.iter().map(|wallet| wallet.default_for.clone()).collect()
}

fn to(capabilities: &[Capability]) -> WalletChange {
    WalletChange { capabilities: Some(capabilities.to_vec()), ..WalletChange::default() }
}

fn default_for(capabilities: &[Capability]) -> WalletChange {
    WalletChange { default_for: Some(capabilities.to_vec()), ..WalletChange::default() }
}

fn status(status: WalletStatus) -> WalletChange {
    WalletChange { status: Some(status), ..WalletChange::default() }
}

/// Asserts what holds after every change.
fn assert_truthful(profile: &Profile) {
    assert!(profile.wallets.len() <= MAX_WALLETS);
    assert!(profile.wallets.iter().any(|wallet| wallet.can(Recovery)), "nothing could recover {profile:?}");
    for wallet in &profile.wallets {
        assert!(wallet.default_for.iter().all(|c| Capability::WITH_DEFAULT.contains(c) && wallet.can(*c)), "{wallet:?}");
        assert_eq!(Capability::in_order(&wallet.default_for), wallet.default_for, "each once and in one order");
        assert_eq!(Capability::in_order(&wallet.capabilities), wallet.capabilities, "each once and in one order");
    }
    for chain in [Chain::Solana, Chain::Evm] {
        for capability in Capability::WITH_DEFAULT {
            let family = || profile.wallets.iter().filter(|wallet| wallet.address.chain() == chain);
            let holders: Vec<_> = family().filter(|wallet| wallet.default_for.contains(&capability)).collect();
            assert_eq!(holders.len(), usize::from(family().any(|wallet| wallet.can(capability))), "{capability:?} in {profile:?}");
            // What a wallet says of itself is what a quote will do.
            assert_eq!(profile.wallet_for(capability, chain), holders.first().copied());
        }
    }
}

#[test]
fn a_linked_wallet_becomes_the_default_where_its_family_has_none() {
    let one = profile(evm(0), &Capability::ALL);
    let two = one.link(wallet(solana(0), &Capability::ALL)).expect("linked");
    assert_eq!(defaults(&two), [vec![Payment, Payout], vec![Payment, Payout]], "another family");
    let three = two.link(wallet(evm(1), &Capability::ALL)).expect("linked");
    assert_eq!(defaults(&three)[2], [], "the family has its defaults");
    assert_eq!((two.version, three.version), (2, 3));
    assert_truthful(&three);

    let payer = profile(evm(0), &[Recovery, Payment]).link(wallet(evm(1), &Capability::ALL)).expect("linked");
    assert_eq!(defaults(&payer), [vec![Payment], vec![Payout]], "half of them");
    let few = one.link(wallet(solana(0), &[Auth])).expect("linked");
    assert_eq!(defaults(&few)[1], [], "it can do neither");
    // What the wallet says of itself counts for nothing.
    let pretender = Wallet { default_for: vec![Payment], ..wallet(evm(2), &Capability::ALL) };
    assert_eq!(defaults(&one.link(pretender).expect("linked"))[1], []);
}

#[test]
fn a_wallet_is_linked_once_and_there_is_an_end_to_them() {
    let mut profile = profile(solana(0), &Capability::ALL);
    let first = profile.wallets[0].id;
    let again = profile.link(wallet(solana(0), &[Auth]));
    assert_eq!(again.expect_err("linked already"), LinkError::AlreadyLinked(first));
    for n in 1..20 {
        profile = profile.link(wallet(solana(n), &Capability::ALL)).expect("linked");
    }
    assert_eq!(profile.wallets.len(), MAX_WALLETS);
    assert_eq!(profile.link(wallet(solana(20), &Capability::ALL)).expect_err("too many"), LinkError::TooMany);
    assert_eq!(profile.link(wallet(solana(0), &[Auth])).expect_err("linked already"), LinkError::AlreadyLinked(first));
}

#[test]
fn setting_a_default_moves_it_away_from_its_sibling_of_the_same_family() {
    let profile = three().link(wallet(evm(0), &Capability::ALL)).expect("linked");
    let ids: Vec<_> = profile.wallets.iter().map(|wallet| wallet.id).collect();
    let after = change(ids[1], &profile, &default_for(&[Payout]));
    assert_eq!(defaults(&after), [vec![Payment], vec![Payout], vec![], vec![Payment, Payout]]);
    let after = change(ids[2], &after, &default_for(&[Payment, Payout]));
    assert_eq!(defaults(&after), [vec![], vec![], vec![Payment, Payout], vec![Payment, Payout]]);
    // What is left out is given up, to the oldest that can.
    let after = change(ids[2], &after, &default_for(&[Payment]));
    assert_eq!(defaults(&after), [vec![Payout], vec![], vec![Payment], vec![Payment, Payout]]);
    // Giving up what another has changes nothing there.
    let after = change(ids[1], &after, &default_for(&[]));
    assert_eq!(defaults(&after), [vec![Payout], vec![], vec![Payment], vec![Payment, Payout]]);
    // The only choice stays it.
    let after = change(ids[3], &after, &default_for(&[]));
    assert_eq!(defaults(&after)[3], [Payment, Payout]);
}

#[test]
fn a_default_without_the_capability_is_refused_by_name() {
    let profile = three();
    let second = profile.wallets[1].id;
    let refused = |profile: &Profile, change: &WalletChange| profile.change_wallet(second, change).expect_err("refused");
    let cannot_pay = change(second, &profile, &to(&[Auth, Recovery, Payout]));
    assert_eq!(refused(&cannot_pay, &default_for(&[Payout, Payment])), ChangeWalletError::CannotBeDefault(Payment));
    let disabled = change(second, &profile, &status(WalletStatus::Disabled));
    assert_eq!(refused(&disabled, &default_for(&[Payout])), ChangeWalletError::CannotBeDefault(Payout));
    for capability in [Auth, Recovery] {
        assert_eq!(refused(&profile, &default_for(&[capability])), ChangeWalletError::CannotBeDefault(capability));
    }
    // It counts what the wallet can do after the change.
    let gains = WalletChange { default_for: Some(vec![Payment]), ..to(&[Payment]) };
    assert_eq!(change(second, &cannot_pay, &gains).wallets[1].default_for, [Payment]);
    let loses = WalletChange { default_for: Some(vec![Payment]), ..to(&[Payout]) };
    assert_eq!(refused(&profile, &loses), ChangeWalletError::CannotBeDefault(Payment));
    let returns = WalletChange { default_for: Some(vec![Payment]), ..status(WalletStatus::Active) };
    assert_eq!(change(second, &disabled, &returns).wallets[1].default_for, [Payment]);
    let leaves = WalletChange { default_for: Some(vec![Payment]), ..status(WalletStatus::Disabled) };
    assert_eq!(refused(&profile, &leaves), ChangeWalletError::CannotBeDefault(Payment));
}

#[test]
fn a_wallet_that_is_disabled_or_loses_a_capability_passes_its_default_to_the_oldest_that_can() {
    let profile = three();
    let ids: Vec<_> = profile.wallets.iter().map(|wallet| wallet.id).collect();
    let after = change(ids[0], &profile, &status(WalletStatus::Disabled));
    assert_eq!(defaults(&after), [vec![], vec![Payment, Payout], vec![]]);
    // A wallet that is enabled again does not get its default back.
    let after = change(ids[0], &after, &status(WalletStatus::Active));
    assert_eq!(defaults(&after), [vec![], vec![Payment, Payout], vec![]]);
    assert_eq!(after.wallets[0].capabilities, Capability::ALL, "disabling takes no capability");
    let after = change(ids[1], &after, &to(&[Payment]));
    assert_eq!(defaults(&after), [vec![Payout], vec![Payment], vec![]]);
    // The last one that could leaves nobody.
    let alone = self::profile(solana(0), &Capability::ALL);
    let after = change(alone.wallets[0].id, &alone, &to(&[Recovery]));
    assert_eq!(defaults(&after), [vec![]]);
    let after = change(alone.wallets[0].id, &after, &to(&[Payout, Recovery]));
    assert_eq!((after.wallets[0].capabilities.as_slice(), &defaults(&after)[0]), ([Recovery, Payout].as_slice(), &vec![Payout]));
}

#[test]
fn nothing_leaves_a_profile_without_an_active_recovery_wallet() {
    let alone = profile(solana(0), &Capability::ALL);
    let first = alone.wallets[0].id;
    for stranding in [status(WalletStatus::Disabled), to(&[Auth, Payment, Payout]), to(&[])] {
        assert_eq!(alone.change_wallet(first, &stranding).expect_err("refused"), ChangeWalletError::WouldStrand);
    }
    // A wallet that cannot recover is no help, and neither is a disabled one.
    let payer = alone.link(wallet(evm(0), &[Payment])).expect("linked");
    assert_eq!(payer.change_wallet(first, &status(WalletStatus::Disabled)).expect_err("refused"), ChangeWalletError::WouldStrand);
    let two = alone.link(wallet(evm(0), &Capability::ALL)).expect("linked");
    let second = two.wallets[1].id;
    let without = change(second, &two, &status(WalletStatus::Disabled));
    assert_eq!(without.change_wallet(first, &to(&[Auth])).expect_err("refused"), ChangeWalletError::WouldStrand);
    let with = change(first, &two, &status(WalletStatus::Disabled));
    assert!(with.recovers_with(&evm(0)) && !with.recovers_with(&solana(0)));
    assert_eq!(alone.change_wallet(second, &to(&[])).expect_err("refused"), ChangeWalletError::NotFound);
}

#[test]
fn a_change_of_nothing_is_no_new_version() {
    let profile = three();
    let first = &profile.wallets[0];
    for nothing in [
        WalletChange::default(),
        status(WalletStatus::Active),
        to(&[Payout, Payment, Recovery, Auth]),
        default_for(&[Payout, Payment]),
    ] {
        assert_eq!(profile.change_wallet(first.id, &nothing), Ok(profile.clone()));
    }
    let after = change(first.id, &profile, &to(&[Recovery]));
    assert_eq!(after.version, profile.version + 1);
}

#[test]
fn listings_are_behind_where_the_payout_chains_change_and_there_are_any() {
    let quiet = profile(solana(0), &Capability::ALL);
    let busy = Profile { listing_count: 1, ..quiet.clone() };
    let evm_payout = wallet(evm(0), &[Payout]);
    assert!(!quiet.link(evm_payout.clone()).expect("linked").summaries_stale);
    let two = busy.link(evm_payout).expect("linked");
    assert!(two.summaries_stale);
    assert!(!busy.link(wallet(evm(0), &[Payment])).expect("linked").summaries_stale);
    assert!(!busy.link(wallet(solana(1), &Capability::ALL)).expect("linked").summaries_stale, "the same family");
    let caught_up = Profile { summaries_stale: false, ..two };
    let second = caught_up.wallets[1].id;
    assert!(change(second, &caught_up, &status(WalletStatus::Disabled)).summaries_stale);
    // Stale summaries stay stale until they are refreshed.
    let behind = Profile { summaries_stale: true, ..busy };
    assert!(behind.link(wallet(solana(1), &[Auth])).expect("linked").summaries_stale);
}
