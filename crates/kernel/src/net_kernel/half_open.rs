//! The handshakes at our door that are not finished, and which of them gives way when there are too many. Pure but for what
//! it keeps.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};

use carrier::Address;

/// Unfinished handshakes by number: who began later has the greater one.
///
/// When there are too many, the oldest of the host that has the most gives way. So strangers on one host, however many wires
/// they open, send away one another and nobody else.
#[derive(Debug)]
pub(super) struct HalfOpen<T> {
    wires: BTreeMap<u64, (T, Address)>,
    hosts: BTreeMap<String, u32>,
    next: u64,
}

impl<T> HalfOpen<T> {
    pub(super) fn new() -> HalfOpen<T> {
        HalfOpen { wires: BTreeMap::new(), hosts: BTreeMap::new(), next: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.wires.len()
    }

    pub(super) fn add(&mut self, task: T, address: Address) {
        *self.hosts.entry(host(&address)).or_insert(0) += 1;
        self.wires.insert(self.next, (task, address));
        self.next += 1;
    }

    /// Forgets those that are over.
    pub(super) fn sweep(&mut self, is_over: impl Fn(&T) -> bool) {
        let over = self.wires.iter().filter(|(_, (task, _))| is_over(task)).map(|(number, _)| *number);
        for number in over.collect::<Vec<_>>() {
            self.remove(number);
        }
    }

    /// Who must give way.
    pub(super) fn evict(&mut self) -> Option<(T, Address)> {
        let most = self.hosts.values().copied().max()?;
        let crowded = |address: &Address| self.hosts.get(&host(address)) == Some(&most);
        let oldest = self.wires.iter().find(|(_, (_, address))| crowded(address)).map(|(number, _)| *number);
        self.remove(oldest?)
    }

    fn remove(&mut self, number: u64) -> Option<(T, Address)> {
        let (task, address) = self.wires.remove(&number)?;
        let host = host(&address);
        if let Some(count) = self.hosts.get_mut(&host) {
            *count -= 1;
            if *count == 0 {
                self.hosts.remove(&host);
            }
        }
        Some((task, address))
    }
}

/// Whom we count as one: who has one address of IPv6 has the 2^64 of its network.
fn host(address: &Address) -> String {
    match address.host.parse::<IpAddr>().map(|ip| ip.to_canonical()) {
        Ok(IpAddr::V6(ip)) => Ipv6Addr::from_bits(ip.to_bits() >> 64 << 64).to_string(),
        Ok(ip) => ip.to_string(),
        Err(_) => address.host.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(host: &str, port: u16) -> Address {
        Address::new(host, port)
    }

    #[test]
    fn many_wires_of_one_host_send_away_one_another_only() {
        let mut half_open = HalfOpen::new();
        half_open.add(0, at("10.0.0.1", 1));
        for number in 1..10_000 {
            half_open.add(number, at("10.0.0.2", number as u16));
            if half_open.len() > 100 {
                let (gone, address) = half_open.evict().unwrap();
                assert_eq!((gone, &address.host[..]), (number - 99, "10.0.0.2"), "the oldest of the crowd");
            }
        }
        half_open.sweep(|task| *task != 0);
        assert_eq!(half_open.evict().unwrap().0, 0);
        assert!(half_open.evict().is_none() && half_open.hosts.is_empty());
    }

    #[test]
    fn a_network_of_ipv6_is_one_host() {
        let mut half_open = HalfOpen::new();
        half_open.add("honest", at("2001:db8:1::1", 1));
        half_open.add("crowd", at("2001:db8:2::1", 1));
        half_open.add("crowd", at("2001:db8:2::ffff", 1));
        assert_eq!(half_open.evict().unwrap().0, "crowd");
        half_open.add("mapped", at("::ffff:10.0.0.1", 1));
        half_open.add("mapped", at("10.0.0.1", 2));
        assert_eq!(half_open.evict().unwrap().0, "mapped");
    }
}
