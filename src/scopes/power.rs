//! What scopes let their holder do, in words: verbs, data and how far, from the structure alone.

use std::cmp::Reverse;

use super::{Access, Assessment, DataClass, Reach};

/// Kinds of data that a sentence names at most.
const NAMED: usize = 3;

/// To follow "can": `read and change all CRM data that ‹its user› can reach`.
pub(super) fn of<'a, 'c: 'a>(
    scopes: impl IntoIterator<Item = &'a Assessment<'c>>,
    holder: &str,
) -> String {
    let mut is_harmless = true;
    let mut powers: Vec<Power> = Vec::new();
    for scope in scopes {
        let harm = scope.harm_if_read.max(scope.harm_if_changed);
        is_harmless &= harm == 0;
        if harm > 0 && scope.access != Access::SignIn && scope.data != DataClass::None {
            Power::of(scope, harm).join(&mut powers);
        }
    }
    if is_harmless {
        return "do nothing but sign in".to_owned();
    }
    if powers.is_empty() {
        return format!("learn who {holder} is");
    }
    sentence(&weightiest(powers), holder)
}

/// What may be done with one kind of data.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Power {
    data: DataClass,
    reach: Reach,
    /// Whether only a part of the data is open.
    in_part: bool,
    verbs: Verbs,
    harm: u8,
}

/// What may be done, each verb by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Verbs {
    read: bool,
    add: bool,
    change: bool,
    administer: bool,
    control: bool,
    send: bool,
}

impl Power {
    fn of(scope: &Assessment<'_>, harm: u8) -> Self {
        let changes = scope.harm_if_changed > 0;
        let only_sends = scope.sends && scope.harm_if_read == 0;
        let verbs = Verbs {
            read: scope.harm_if_read > 0,
            add: changes && scope.access == Access::Add,
            change: changes
                && !only_sends
                && !matches!(scope.access, Access::Add | Access::Administer | Access::ActAs),
            administer: changes && scope.access == Access::Administer,
            control: scope.access == Access::ActAs,
            send: scope.sends,
        };
        let verbs = verbs.and(Verbs::default());
        let in_part = scope.access == Access::Limited;
        Self { data: scope.data, reach: scope.reach, in_part, verbs, harm }
    }

    /// Adds it to those of other scopes: what may be done with the same data is one power.
    fn join(self, powers: &mut Vec<Self>) {
        let same = |other: &&mut Self| {
            (other.data, other.reach, other.in_part) == (self.data, self.reach, self.in_part)
        };
        match powers.iter_mut().find(same) {
            Some(other) => {
                other.verbs = other.verbs.and(self.verbs);
                other.harm = other.harm.max(self.harm);
            }
            None => powers.push(self),
        }
    }

    /// Whether another power of the same data goes as far and further.
    fn is_within(&self, other: &Self) -> bool {
        self != other
            && self.data == other.data
            && self.reach <= other.reach
            && (self.in_part || !other.in_part)
            && other.verbs.and(self.verbs) == other.verbs
    }
}

impl Verbs {
    /// What either may do; a stronger verb says the weaker.
    const fn and(self, other: Self) -> Self {
        let control = self.control || other.control;
        let administer = !control && (self.administer || other.administer);
        let change = !control && !administer && (self.change || other.change);
        Self {
            read: !control && (self.read || other.read),
            add: !control && !administer && !change && (self.add || other.add),
            change,
            administer,
            control,
            send: !control && (self.send || other.send),
        }
    }

    fn words(self) -> String {
        let Self { read, add, change, administer, control, send } = self;
        let words = [
            (control, "fully control"),
            (read, "read"),
            (add, "add"),
            (change, "change"),
            (administer, "administer"),
            (send, "send"),
        ];
        let words: Vec<_> =
            words.into_iter().filter_map(|(may, word)| may.then_some(word)).collect();
        listed(&words)
    }
}

/// The powers that matter most, the weightiest first: what is all about everything leaves nothing to name beside it, and what does
/// far less harm than the worst is left out.
fn weightiest(mut powers: Vec<Power>) -> Vec<Power> {
    let all = powers.clone();
    powers.retain(|power| !all.iter().any(|other| power.is_within(other)));
    let weight = |power: &Power| (power.harm, !power.in_part, power.reach, power.data);
    powers.sort_by_key(|power| Reverse(weight(power)));
    if let Some(everything) =
        powers.iter().position(|power| power.data == DataClass::Everything && !power.in_part)
    {
        return vec![powers.swap_remove(everything)];
    }
    let worst = powers.first().map_or(0, |power| power.harm);
    powers.retain(|power| power.harm + 1 >= worst);
    powers.truncate(NAMED);
    powers
}

/// Powers of the same reach share the words for it, those with the same verbs also these.
fn sentence(powers: &[Power], holder: &str) -> String {
    let mut parts: Vec<String> = Vec::new();
    for reached in powers.chunk_by(|a, b| (a.reach, own_words(a)) == (b.reach, own_words(b))) {
        let objects: Vec<String> = reached
            .chunk_by(|a, b| (a.verbs, a.in_part) == (b.verbs, b.in_part))
            .filter_map(|alike| alike.first().map(|first| object(first, alike)))
            .collect();
        let objects: Vec<&str> = objects.iter().map(String::as_str).collect();
        if let [first, ..] = reached {
            if first.data == DataClass::Everything && first.verbs.control && !first.in_part {
                parts.push(all_that(first.reach, holder));
                continue;
            }
            parts.push(format!("{}{}", listed(&objects), place(first, holder)));
        }
    }
    parts.join(", and ")
}

/// What leaves nothing out needs no list of verbs.
fn all_that(reach: Reach, holder: &str) -> String {
    match reach {
        Reach::Own | Reach::User => format!("do everything that {holder} can do"),
        Reach::Organisation => {
            format!("do everything in the whole organisation that {holder} may do")
        }
        Reach::Tenant => "do everything in the whole tenant, without a user".to_owned(),
    }
}

/// `read and change all mail and files`.
fn object(first: &Power, alike: &[Power]) -> String {
    let classes: Vec<_> = alike.iter().map(|power| power.data.phrase()).collect();
    let all = match (first.data, first.reach, first.in_part) {
        (DataClass::Everything, _, true) => "a part of ",
        (_, _, true) => "a part of the ",
        (DataClass::Everything, ..) | (_, Reach::Organisation | Reach::Tenant, _) => "",
        _ if sends_as_user(first) => "",
        (_, Reach::Own, _) => "the ",
        (_, Reach::User, _) => "all ",
    };
    format!("{} {all}{}", first.verbs.words(), listed(&classes))
}

/// How far: the end of the sentence.
fn place(power: &Power, holder: &str) -> String {
    match power.reach {
        Reach::Own => format!(" of {holder}"),
        Reach::User if sends_as_user(power) => format!(" as {holder}"),
        Reach::User => format!(" that {holder} can reach"),
        Reach::Organisation => format!(" of the whole organisation, as far as {holder} may"),
        Reach::Tenant if is_any_mailbox(power) && power.verbs.send => {
            " as any mailbox in the tenant".to_owned()
        }
        Reach::Tenant if is_any_mailbox(power) => " in any mailbox of the tenant".to_owned(),
        Reach::Tenant => " of the whole tenant, without a user".to_owned(),
    }
}

/// Whether it cannot share the words of others of the same reach.
fn own_words(power: &Power) -> bool {
    is_any_mailbox(power) || sends_as_user(power)
}

fn is_any_mailbox(power: &Power) -> bool {
    power.data == DataClass::Mail && power.reach == Reach::Tenant
}

/// What is sent, is sent in the user's name.
fn sends_as_user(power: &Power) -> bool {
    power.verbs.send && power.reach == Reach::User && !power.in_part
}

/// `a`, `a and b`, `a, b and c`.
fn listed(parts: &[&str]) -> String {
    match parts {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}
