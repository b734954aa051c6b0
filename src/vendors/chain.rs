//! Which grants end, at any depth, at a company: the register's sub-processors followed from vendor to vendor.
//!
//! Only the first tier, the vendor that holds a grant, is seen by a scan. Every tier behind it is what the register declares.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use schemars::JsonSchema;
use serde::Serialize;

use super::{Entry, Party, Register, Vendor, brands};

/// All ways that lead to a company.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reach<'a> {
    /// The company, as the register or the brand table calls it, else as it was asked for.
    pub company: String,
    /// Whether the register has an entry for it, or names it as somebody's sub-processor.
    pub is_declared: bool,
    /// The company's own grants: no chain is needed.
    pub direct: Vec<&'a Vendor>,
    /// Vendors with live grants from which declared sub-processors lead to it, the shortest chain of each.
    pub seen: Vec<Chain<'a>>,
    /// Vendors of the register that lead to it, and of which no live grant was seen.
    pub unseen: Vec<Chain<'a>>,
    /// Declarations that lead back to where they began; each is followed once.
    pub cycles: Vec<Vec<String>>,
    /// Entries of the register.
    pub entries: usize,
    /// Vendors with live grants that have no entry: what they pass on is not known either.
    pub unregistered: Vec<&'a str>,
    /// Entries that do not say who their sub-processors are: what they pass on is not known, which is not nothing.
    pub silent: Vec<&'a str>,
}

/// A chain from a vendor to the company that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Chain<'a> {
    /// The vendors with live grants that the first tier stands for; empty where none was seen.
    pub vendors: Vec<&'a Vendor>,
    /// The first is the vendor itself, the last the company that was asked for. At least two.
    pub tiers: Vec<Tier>,
}

/// A company of a [`Chain`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Tier {
    /// 1 for the vendor that holds a grant.
    pub tier: usize,
    /// Its name, as the register has it.
    pub company: String,
    /// File and line of the register that declare it to be the sub-processor of the one before; `None` for the first.
    pub declared: Option<String>,
}

/// Finds every vendor from which `company` is reached; `is_live` tells whether a vendor holds a grant that works.
pub fn reach<'a>(
    register: &'a Register,
    vendors: &'a [Vendor],
    is_live: impl Fn(&Vendor) -> bool,
    company: &str,
) -> Reach<'a> {
    let graph = Graph::new(register);
    let wanted = graph.by_key.get(&register.company(company)).copied();
    let next = wanted.map(|wanted| graph.next_hops(wanted)).unwrap_or_default();
    let (mut direct, mut unregistered) = (Vec::new(), Vec::new());
    let mut holders = BTreeMap::<usize, Vec<&'a Vendor>>::new();
    for vendor in vendors.iter().filter(|vendor| vendor.party == Party::Third && is_live(vendor)) {
        let entries = register.entries_of(vendor);
        if entries.is_empty() {
            unregistered.push(vendor.name.as_str());
        }
        let of_entries = entries.into_iter().map(|found| found.entry.name());
        let names: BTreeSet<String> =
            of_entries.chain([vendor.name.as_str()]).map(|name| register.company(name)).collect();
        if names.contains(&register.company(company)) {
            direct.push(vendor);
        }
        for node in names.iter().filter_map(|name| graph.by_key.get(name)) {
            holders.entry(*node).or_default().push(vendor);
        }
    }
    let mut chains: Vec<Chain<'a>> = next
        .keys()
        .map(|node| Chain {
            vendors: holders.get(node).cloned().unwrap_or_default(),
            tiers: graph.tiers(register, &next, *node),
        })
        .collect();
    // The shortest first; of equals the first in the file.
    chains.sort_by_key(|chain| chain.tiers.len());
    let (unseen, seen) = chains.into_iter().partition(|chain| chain.vendors.is_empty());
    let silent = register.entries.iter().filter(|entry| entry.sub_processors.is_none());
    Reach {
        company: wanted.map_or_else(
            || brands::of_name(company).unwrap_or(company).to_owned(),
            |wanted| graph.nodes[wanted].name.clone(),
        ),
        is_declared: wanted.is_some(),
        direct,
        seen,
        unseen,
        cycles: wanted.map(|wanted| graph.cycles(wanted, &next)).unwrap_or_default(),
        entries: register.entries.len(),
        unregistered,
        silent: silent.map(Entry::name).collect(),
    }
}

/// The companies that the register knows of, and who passes on to whom.
struct Graph {
    nodes: Vec<Node>,
    by_key: BTreeMap<String, usize>,
}

struct Node {
    name: String,
    /// To which company, and in which line that is declared.
    declared: Vec<(usize, usize)>,
}

impl Graph {
    fn new(register: &Register) -> Self {
        let mut graph = Self { nodes: Vec::new(), by_key: BTreeMap::new() };
        // Entries come first, so that a company is called as its own entry has it, and nodes have the order of the file.
        for entry in &register.entries {
            graph.node(register, entry.name(), entry.name());
        }
        for entry in &register.entries {
            let from = graph.node(register, entry.name(), entry.name());
            let lines = &entry.sub_processor_lines;
            for (name, line) in entry.sub_processors.iter().flatten().zip(lines) {
                let called = brands::of_name(name.get_ref()).unwrap_or(name.get_ref());
                let to = graph.node(register, name.get_ref(), called);
                graph.nodes[from].declared.push((to, *line));
            }
        }
        graph
    }

    /// The node of a company; a new one is called so.
    fn node(&mut self, register: &Register, name: &str, called: &str) -> usize {
        let next = self.nodes.len();
        let at = *self.by_key.entry(register.company(name)).or_insert(next);
        if at == next {
            self.nodes.push(Node { name: called.to_owned(), declared: Vec::new() });
        }
        at
    }

    /// For every company that leads to `wanted` the declaration by which it gets there soonest: breadth first, from the end.
    fn next_hops(&self, wanted: usize) -> BTreeMap<usize, (usize, usize)> {
        let mut into: BTreeMap<usize, Vec<(usize, usize)>> = BTreeMap::new();
        for (from, node) in self.nodes.iter().enumerate() {
            for (to, line) in &node.declared {
                into.entry(*to).or_default().push((from, *line));
            }
        }
        let mut next = BTreeMap::new();
        let mut waiting = VecDeque::from([wanted]);
        while let Some(to) = waiting.pop_front() {
            for (from, line) in into.get(&to).into_iter().flatten() {
                if *from != wanted && !next.contains_key(from) {
                    next.insert(*from, (to, *line));
                    waiting.push_back(*from);
                }
            }
        }
        next
    }

    fn tiers(
        &self,
        register: &Register,
        next: &BTreeMap<usize, (usize, usize)>,
        from: usize,
    ) -> Vec<Tier> {
        let name = |node: usize| self.nodes[node].name.clone();
        let mut tiers = vec![Tier { tier: 1, company: name(from), declared: None }];
        let mut at = from;
        // Ends: every hop is nearer to the company that was asked for, which has none.
        while let Some((to, line)) = next.get(&at) {
            let declared = Some(register.line(*line));
            tiers.push(Tier { tier: tiers.len() + 1, company: name(*to), declared });
            at = *to;
        }
        tiers
    }

    /// Circles among the companies that lead to `wanted`, and through it; depth first, without recursion: a file may be deep.
    fn cycles(&self, wanted: usize, next: &BTreeMap<usize, (usize, usize)>) -> Vec<Vec<String>> {
        let is_on_the_way = |node: usize| node == wanted || next.contains_key(&node);
        let (mut cycles, mut done) = (Vec::new(), BTreeSet::new());
        for start in (0..self.nodes.len()).filter(|node| is_on_the_way(*node)) {
            if done.contains(&start) {
                continue;
            }
            let mut path: Vec<(usize, usize)> = Vec::from([(start, 0)]);
            let mut on_path = BTreeMap::from([(start, 0)]);
            while let Some((node, tried)) = path.last_mut() {
                let (node, edge) = (*node, self.nodes[*node].declared.get(*tried));
                *tried += 1;
                let Some(to) = edge.map(|(to, _)| *to) else {
                    done.insert(node);
                    on_path.remove(&node);
                    path.pop();
                    continue;
                };
                if let Some(from) = on_path.get(&to) {
                    let names =
                        path[*from..].iter().map(|(node, _)| self.nodes[*node].name.clone());
                    cycles.push(names.collect());
                } else if is_on_the_way(to) && !done.contains(&to) {
                    on_path.insert(to, path.len());
                    path.push((to, 0));
                }
            }
        }
        cycles
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn register(text: &str) -> Register {
        Register::parse(Path::new("v.toml"), text).unwrap()
    }

    /// `A > B C; B > C` as a register.
    fn declared(text: &str) -> Register {
        let entry = |line: &str| {
            let (name, to) = line.split_once('>').unwrap();
            let to: Vec<&str> = to.split_whitespace().collect();
            format!("[[vendor]]\nname = {:?}\nsub_processors = {to:?}\n", name.trim())
        };
        register(&text.split(';').map(entry).collect::<String>())
    }

    fn ways(register: &Register, to: &str) -> Vec<String> {
        let reach = reach(register, &[], |_| true, to);
        let names = |chain: &Chain<'_>| {
            let names: Vec<&str> = chain.tiers.iter().map(|tier| tier.company.as_str()).collect();
            names.join(" ")
        };
        reach.unseen.iter().map(names).collect()
    }

    #[test]
    fn every_depth_is_followed_by_the_shortest_way() {
        let register = declared("A > B; B > C; C > X; D > A X; E > Y");
        assert_eq!(ways(&register, "X"), ["C X", "D X", "B C X", "A B C X"]);
        assert_eq!(ways(&register, "x, Inc."), ways(&register, "X"));
        assert!(ways(&register, "Nobody").is_empty());
        assert!(!reach(&register, &[], |_| true, "Nobody").is_declared);
    }

    #[test]
    fn a_tier_says_which_line_declares_it() {
        let register = declared("A > B; B > X");
        let reach = reach(&register, &[], |_| true, "X");
        let tiers = &reach.unseen[1].tiers;
        assert_eq!(tiers[0].declared, None);
        assert_eq!(tiers[1].declared.as_deref(), Some("v.toml:3"));
        assert_eq!(tiers[2].declared.as_deref(), Some("v.toml:6"));
        assert_eq!(tiers[2].tier, 3);
    }

    #[test]
    fn circles_are_named_and_followed_once() {
        let register = declared("A > B; B > A X; C > C X; X > A; F > G; G > F");
        assert_eq!(ways(&register, "X"), ["B X", "C X", "A B X"]);
        let cycles = reach(&register, &[], |_| true, "X").cycles;
        assert_eq!(cycles, [vec!["A", "B"], vec!["A", "B", "X"], vec!["C"]]);
    }

    #[test]
    fn names_are_compared_as_companies() {
        let register = register(
            "[[vendor]]\nname = 'Acme'\nalso = ['Road Runner']\nsub_processors = ['Drift']\n\
             [[vendor]]\nname = 'Chain Ltd'\nsub_processors = ['ROAD RUNNER GmbH']\n\
             [[vendor]]\nname = 'Unasked'\n[[vendor]]\nname = 'Asked'\nsub_processors = []\n",
        );
        // Drift is a brand of Salesloft, by the brand table.
        assert_eq!(ways(&register, "Salesloft"), ["Acme Salesloft", "Chain Ltd Acme Salesloft"]);
        assert_eq!(reach(&register, &[], |_| true, "Drift").silent, ["Unasked"]);
    }

    /// No recursion: the depth of a file is bounded by nothing but its size.
    #[test]
    fn a_chain_of_two_thousand_tiers_is_followed() {
        let text: String = (0..2_000).map(|n| format!("c{n} > c{};", n + 1)).collect();
        let register = declared(text.trim_end_matches(';'));
        let reach = reach(&register, &[], |_| true, "c2000");
        assert_eq!(reach.unseen.len(), 2_000);
        assert!(reach.cycles.is_empty());
    }
}
