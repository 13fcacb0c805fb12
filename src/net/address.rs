//! Which addresses may be connected to.
//!
//! Asked about the address that is really connected to, after names are resolved, so that neither an odd spelling of
//! a number nor a name that points inwards leads anywhere else. Absent from the lists below means public.

use crate::config::alerts::Reach;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Addresses at which clouds hand out credentials to whoever asks; refused to every reach. The link-local one,
/// 169.254.169.254, falls with its whole range.
const METADATA_V4: [Ipv4Addr; 3] =
    [Ipv4Addr::new(100, 100, 100, 200), Ipv4Addr::new(168, 63, 129, 16), Ipv4Addr::new(192, 0, 0, 192)];
const METADATA_V6: [Ipv6Addr; 2] = [
    Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x0254),
    Ipv6Addr::new(0xfd20, 0x00ce, 0, 0, 0, 0, 0, 0x0254),
];

/// What an address is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Public,
    Private,
    Loopback,
    /// Nobody's receiver: link-local, metadata, multicast, reserved, or a way around this list.
    Never,
}

/// May a channel of this reach connect to this address?
#[must_use]
pub fn is_allowed(reach: Reach, address: IpAddr) -> bool {
    match class(address) {
        Class::Public => reach != Reach::Loopback,
        Class::Private => reach == Reach::Private,
        Class::Loopback => reach == Reach::Loopback,
        Class::Never => false,
    }
}

fn class(address: IpAddr) -> Class {
    match address {
        IpAddr::V4(v4) => class_v4(v4),
        IpAddr::V6(v6) => class_v6(v6),
    }
}

/// Source: IANA's registry of special-purpose IPv4 addresses (RFC 6890 and its updates).
fn class_v4(address: Ipv4Addr) -> Class {
    let [a, b, c, _] = address.octets();
    if METADATA_V4.contains(&address) {
        return Class::Never;
    }
    match (a, b, c) {
        (127, ..) => Class::Loopback,
        (10, ..) | (172, 16..=31, _) | (192, 168, _) | (100, 64..=127, _) => Class::Private,
        // This network, link-local, protocol assignments, documentation, 6to4 relays, benchmarks.
        (0, ..) | (169, 254, _) | (192, 0, 0 | 2) | (192, 88, 99) | (198, 18 | 19, _) => Class::Never,
        (198, 51, 100) | (203, 0, 113) => Class::Never,
        // Multicast, reserved, broadcast.
        (224..=255, ..) => Class::Never,
        _ => Class::Public,
    }
}

/// Source: IANA's registry of special-purpose IPv6 addresses. Only 2000::/3 is handed out for public use.
fn class_v6(address: Ipv6Addr) -> Class {
    if METADATA_V6.contains(&address) {
        return Class::Never;
    }
    if address == Ipv6Addr::LOCALHOST {
        return Class::Loopback;
    }
    if let Some(v4) = address.to_ipv4_mapped() {
        return class_v4(v4);
    }
    let [a, b, c, d, e, f, g, h] = address.segments();
    let tail = |high: u16, low: u16| {
        let ([w, x], [y, z]) = (high.to_be_bytes(), low.to_be_bytes());
        Ipv4Addr::new(w, x, y, z)
    };
    match (a, b) {
        // NAT64: a translator sends it on to the IPv4 address inside.
        (0x0064, 0xff9b) if (c, d, e, f) == (0, 0, 0, 0) => class_v4(tail(g, h)),
        // 6to4 likewise.
        (0x2002, _) => class_v4(tail(b, c)),
        // Teredo and other protocol assignments, documentation.
        (0x2001, 0..=0x01ff | 0x0db8) | (0x3fff, 0..=0x0fff) => Class::Never,
        (0xfc00..=0xfdff, _) => Class::Private,
        (0x2000..=0x3fff, _) => Class::Public,
        _ => Class::Never,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(text: &str) -> String {
        let address: IpAddr = text.parse().unwrap();
        let letter = |reach, letter| if is_allowed(reach, address) { letter } else { '-' };
        [letter(Reach::Public, 'p'), letter(Reach::Private, 'v'), letter(Reach::Loopback, 'l')]
            .iter()
            .collect()
    }

    #[test]
    fn every_kind_of_address_has_its_reach() {
        for (address, want) in [
            ("1.1.1.1", "pv-"),
            ("172.15.0.1", "pv-"),
            ("172.32.0.1", "pv-"),
            ("2606:4700::1", "pv-"),
            ("10.0.0.1", "-v-"),
            ("172.16.0.1", "-v-"),
            ("172.31.255.255", "-v-"),
            ("192.168.1.1", "-v-"),
            ("100.64.0.1", "-v-"),
            ("fc00::1", "-v-"),
            ("fd12::1", "-v-"),
            ("127.0.0.1", "--l"),
            ("127.255.255.254", "--l"),
            ("::1", "--l"),
            ("::ffff:127.0.0.1", "--l"),
            ("::ffff:10.0.0.1", "-v-"),
            ("64:ff9b::a00:1", "-v-"),
            ("64:ff9b::101:101", "pv-"),
            ("2002:0a00:0001::1", "-v-"),
            ("0.0.0.0", "---"),
            ("::", "---"),
            ("::7f00:1", "---"),
            ("169.254.169.254", "---"),
            ("::ffff:169.254.169.254", "---"),
            ("64:ff9b::a9fe:a9fe", "---"),
            ("2002:a9fe:a9fe::1", "---"),
            ("100.100.100.200", "---"),
            ("168.63.129.16", "---"),
            ("fd00:ec2::254", "---"),
            ("fe80::1", "---"),
            ("fec0::1", "---"),
            ("ff02::1", "---"),
            ("2001:0:1::1", "---"),
            ("2001:db8::1", "---"),
            ("64:ff9b:1::1", "---"),
            ("192.0.0.192", "---"),
            ("198.18.0.1", "---"),
            ("203.0.113.9", "---"),
            ("224.0.0.1", "---"),
            ("255.255.255.255", "---"),
        ] {
            assert_eq!(allowed(address), want, "{address}");
        }
    }
}
