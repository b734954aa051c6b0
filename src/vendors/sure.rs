//! Which apps of a vendor are its own by more than what anybody could have written.
//!
//! A setting or an exception for a vendor must not reach an app that merely took the vendor's name.

use grantwarden_kit::model::{App, Origin};

use super::{Confidence, Member, Party, Tie, TieKind, Vendor};

/// The apps that are surely the vendor's; `app` gives an app's record.
pub fn sure<'v, 'a>(
    vendor: &'v Vendor,
    app: impl Fn(&Member) -> Option<&'a App>,
) -> Vec<&'v Member> {
    let (mut sure, mut others): (Vec<&Member>, Vec<&Member>) =
        vendor.apps.iter().partition(|member| is_named(vendor, member, app(member)));
    // What is tied to a sure app by more than a claim is sure as well, and so on.
    while let Some(at) = others.iter().position(|other| sure.iter().any(|one| is_tied(one, other)))
    {
        sure.push(others.swap_remove(at));
    }
    sure
}

/// The apps whose keys may be written down as the vendor's: the sure ones; where none is, all, if more than claims tie each to the others.
pub fn trusted<'v, 'a>(
    vendor: &'v Vendor,
    app: impl Fn(&Member) -> Option<&'a App>,
) -> Vec<&'v Member> {
    let sure = sure(vendor, app);
    if !sure.is_empty() {
        return sure;
    }
    let mut others: Vec<&Member> = vendor.apps.iter().collect();
    let mut tied: Vec<&Member> = others.pop().into_iter().collect();
    let is_near = |one: &Member, other: &Member| is_tied(one, other) || is_tied(other, one);
    while let Some(at) = others.iter().position(|other| tied.iter().any(|one| is_near(one, other)))
    {
        tied.push(others.swap_remove(at));
    }
    // Of several groups that only claims tie, nobody can say which is the vendor's.
    if others.is_empty() { tied } else { Vec::new() }
}

/// Whether the app itself has the vendor's name from somebody who would know.
fn is_named(vendor: &Vendor, member: &Member, app: Option<&App>) -> bool {
    let is_brand = |tie: &Tie| tie.value.to_lowercase() == vendor.name.to_lowercase();
    if firm(member).any(is_brand) {
        return true;
    }
    let Some(app) = app else { return false };
    let of_publisher = app.publisher.known().is_some_and(|publisher| {
        publisher.name == vendor.name && publisher.verified.known() == Some(&true)
    });
    of_publisher
        || matches!(
            (app.origin, vendor.party),
            (Origin::Platform, Party::Platform) | (Origin::Own, Party::Own)
        )
}

/// Whether `other` is surely whose `one` is. Codes go to any redirect domain, so sharing one proves nothing about an app that has more.
fn is_tied(one: &Member, other: &Member) -> bool {
    let has_no_more =
        || other.redirect_domains().all(|domain| one.redirect_domains().any(|own| own == domain));
    firm(one).any(|tie| {
        firm(other).any(|same| (same.kind, &same.value) == (tie.kind, &tie.value))
            && (tie.kind != TieKind::RedirectDomain || has_no_more())
    })
}

fn firm(member: &Member) -> impl Iterator<Item = &Tie> {
    member.ties.iter().filter(|tie| tie.confidence != Confidence::Claimed)
}

#[cfg(test)]
mod tests {
    use super::{super::Traits, *};

    fn member(app: &str, ties: &[(Confidence, TieKind, &str)]) -> Member {
        let tie = |(confidence, kind, value): &(Confidence, TieKind, &str)| Tie {
            confidence: *confidence,
            kind: *kind,
            value: (*value).to_owned(),
        };
        Member {
            tenant: "acme".to_owned(),
            platform: "github".to_owned(),
            app: app.to_owned(),
            name: "Drift".to_owned(),
            client_ids: Vec::new(),
            grants: 1,
            ties: ties.iter().map(tie).collect(),
            keys: ties.iter().map(tie).collect(),
            traits: Traits::default(),
        }
    }

    fn names(apps: Vec<Member>) -> Vec<String> {
        let vendor = Vendor {
            id: "Salesloft".to_owned(),
            name: "Salesloft".to_owned(),
            party: Party::Third,
            platforms: Vec::new(),
            names: Vec::new(),
            grants: 2,
            apps,
        };
        let mut names: Vec<String> =
            sure(&vendor, |_| None).into_iter().map(|member| member.app.clone()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_name_alone_and_impostors_among_themselves_are_not_sure() {
        use Confidence::{Claimed, Likely, Proven};
        use TieKind::{BrandName, ClientId, RedirectDomain};
        let claimed = (Claimed, BrandName, "Salesloft");
        let impostors = || {
            vec![
                member("x", &[(Proven, ClientId, "evil"), claimed]),
                member("y", &[(Proven, ClientId, "evil"), claimed]),
            ]
        };
        assert!(names(impostors()).is_empty());
        let domain = (Likely, RedirectDomain, "drift.com");
        let mut all = impostors();
        all.push(member("a", &[(Likely, BrandName, "Salesloft"), domain]));
        all.push(member("b", &[domain]));
        // Shares a domain, and has another one, to which codes go as well.
        all.push(member("z", &[domain, (Likely, RedirectDomain, "evil.zone")]));
        assert_eq!(names(all), ["a", "b"]);
    }
}
