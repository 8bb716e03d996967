//! Which addresses are public, compared with the IANA special-purpose registries.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crochet::outbound::is_public;
use crochet_tests::{Failure, Outcome};

const V4: &str = include_str!("../../vectors/iana-ipv4-special-registry-1.csv");
const V6: &str = include_str!("../../vectors/iana-ipv6-special-registry-1.csv");
const DRAWS: usize = 1_000_000;

/// A block of addresses. IPv4 is IPv4-mapped, so that one arithmetic covers both.
#[derive(Clone, Copy)]
struct Block {
    base: u128,
    bits: u32,
}

/// Whether a block is reachable.
struct Entry {
    block: Block,
    reachable: bool,
}

/// Blocks where the service is stricter than the registries, with reasons.
const STRICTER: [(&str, &str); 15] = [
    ("192.0.0.0/24", "protocol assignments: anycast helpers of NAT (192.0.0.9, 192.0.0.10) are no sellers"),
    ("192.31.196.0/24", "AS112: answers for private names, each site its own"),
    ("192.52.193.0/24", "AMT relays: a tunnel's end"),
    ("192.88.99.0/24", "6to4 relays, withdrawn: a tunnel's end"),
    ("192.175.48.0/24", "AS112"),
    ("224.0.0.0/4", "multicast, which the registries leave to one of its own"),
    ("64:ff9b::/96", "NAT64: leads to an IPv4 address that nobody has judged"),
    ("2001::/23", "Teredo, ORCHID, AMT, anycast helpers and what may yet be assigned to protocols"),
    ("2002::/16", "6to4: leads to an IPv4 address"),
    ("2620:4f:8000::/48", "AS112"),
    ("::/3", "not global unicast: IPv4-compatible, IPv4-mapped and unassigned"),
    ("4000::/2", "not global unicast: unassigned, and SRv6"),
    ("8000::/2", "not global unicast: unassigned"),
    ("c000::/3", "not global unicast: unassigned"),
    ("e000::/3", "not global unicast: unassigned, unique-local, link-local, site-local, multicast"),
];

fn number(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped().to_bits(),
        IpAddr::V6(ip) => ip.to_bits(),
    }
}

impl Block {
    fn read(text: &str) -> Result<Self, Failure> {
        let (ip, length) = text.split_once('/').ok_or_else(|| Failure::new(format!("no block: {text}")))?;
        let (ip, length): (IpAddr, u32) = (ip.parse()?, length.parse()?);
        Ok(Self { base: number(ip), bits: if ip.is_ipv4() { length + 96 } else { length } })
    }

    fn mask(self) -> u128 {
        u128::MAX.checked_shr(self.bits).unwrap_or(0)
    }

    fn holds(self, number: u128) -> bool {
        (number ^ self.base) & !self.mask() == 0
    }
}

/// The rows of a CSV file with quoted cells, without the header.
fn rows(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut cell)),
            '\n' if !quoted => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            c => cell.push(c),
        }
    }
    rows.split_off(1)
}

/// A registry's blocks, without footnotes such as `[2]`. A value other than true or false counts as not reachable.
fn registry(text: &str) -> Result<Vec<Entry>, Failure> {
    let mut entries = Vec::new();
    for row in rows(text) {
        for block in row[0].split(',') {
            let block = block.split_whitespace().next().unwrap_or_default();
            entries.push(Entry { block: Block::read(block)?, reachable: row[8].split_whitespace().next() == Some("True") });
        }
    }
    Ok(entries)
}

/// The reference implementation: the smallest matching block decides; without a match, the address is reachable.
fn expected(ip: IpAddr, registry: &[Entry], stricter: &[(Block, bool)]) -> bool {
    let number = number(ip);
    if stricter.iter().any(|(block, v4)| *v4 == ip.is_ipv4() && block.holds(number)) {
        return false;
    }
    let smallest = registry.iter().filter(|entry| entry.block.holds(number)).max_by_key(|entry| entry.block.bits);
    smallest.is_none_or(|entry| entry.reachable)
}

/// SplitMix64, deterministic so that failures can be reproduced.
struct Draws(u64);

impl Draws {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn wide(&mut self) -> u128 {
        (u128::from(self.next()) << 64) | u128::from(self.next())
    }

    fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % n as u64).unwrap_or(0)
    }

    /// An address inside a block or at its edges: first, last, one before, one after.
    fn near(&mut self, block: Block) -> u128 {
        match self.below(8) {
            0 => block.base,
            1 => block.base | block.mask(),
            2 => block.base.wrapping_sub(1),
            3 => (block.base | block.mask()).wrapping_add(1),
            _ => block.base | (self.wide() & block.mask()),
        }
    }
}

/// Every embedding of an IPv4 address in an IPv6 address.
fn embeddings(v4: u32, noise: u128) -> [u128; 7] {
    let v4 = u128::from(v4);
    [
        0xffff_0000_0000 | v4,
        v4,
        (0x0064_ff9b << 96) | v4,
        (0x0064_ff9b_0001 << 80) | v4,
        (0x2002 << 112) | (v4 << 80) | (noise >> 48),
        (0x2001 << 112) | (noise & !0u128 >> 32 & !0xffff_ffff) | (!v4 & 0xffff_ffff),
        0xffff_0000_0000_0000 | v4,
    ]
}

#[test]
fn a_million_random_addresses_agree_with_the_iana_special_purpose_registries() -> Outcome {
    let (v4, v6) = (registry(V4)?, registry(V6)?);
    assert_eq!((v4.len(), v6.len()), (26, 25), "blocks in the tables");
    let mut stricter = Vec::new();
    for (block, _) in STRICTER {
        stricter.push((Block::read(block)?, block.contains('.')));
    }
    let edges = |of_v4: bool, registry: &[Entry]| -> Vec<Block> {
        let more = stricter.iter().filter(|(_, v4)| *v4 == of_v4).map(|(block, _)| *block);
        registry.iter().map(|entry| entry.block).chain(more).collect()
    };
    let (edges4, edges6) = (edges(true, &v4), edges(false, &v6));
    let mut draws = Draws(1);
    let (mut drawn, mut public, mut wrong) = (0_usize, 0_usize, Vec::new());
    while drawn < DRAWS {
        let pick = draws.below(10);
        let low4 = |number: u128| IpAddr::V4(Ipv4Addr::from_bits(u32::try_from(number & 0xffff_ffff).unwrap_or(0)));
        let ips: Vec<IpAddr> = match pick {
            0..=2 => vec![low4(draws.wide())],
            // Half of the uniform draws of IPv6 inside 2000::/3, where the verdicts are.
            3 => vec![IpAddr::V6(Ipv6Addr::from_bits(draws.wide()))],
            4 => vec![IpAddr::V6(Ipv6Addr::from_bits((draws.wide() >> 3) | (1 << 125)))],
            5 | 6 => {
                let block = edges4[draws.below(edges4.len())];
                vec![low4(draws.near(block))]
            }
            7 | 8 => {
                let block = edges6[draws.below(edges6.len())];
                vec![IpAddr::V6(Ipv6Addr::from_bits(draws.near(block)))]
            }
            _ => {
                let block = edges4[draws.below(edges4.len())];
                let v4 = if draws.below(2) == 0 { draws.wide() } else { draws.near(block) };
                let noise = draws.wide();
                let v4 = u32::try_from(v4 & 0xffff_ffff).unwrap_or(0);
                embeddings(v4, noise).into_iter().map(|bits| IpAddr::V6(Ipv6Addr::from_bits(bits))).collect()
            }
        };
        for ip in ips {
            let expected = expected(ip, if ip.is_ipv4() { &v4 } else { &v6 }, &stricter);
            drawn += 1;
            public += usize::from(expected);
            if is_public(ip) != expected {
                wrong.push(ip);
            }
        }
    }
    println!("{drawn} addresses, {public} of them public: {} disagreements", wrong.len());
    assert!(wrong.is_empty(), "{:?}", &wrong[..wrong.len().min(10)]);
    Ok(())
}

/// Addresses of real sellers must be accepted.
#[test]
fn public_addresses_are_not_refused() -> Outcome {
    for ip in crochet_tests::ssrf::PUBLIC {
        assert!(is_public(ip.parse()?), "{ip}");
    }
    assert!(crochet_tests::ssrf::PUBLIC.len() >= 20);
    Ok(())
}
