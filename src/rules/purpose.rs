//! What an app is for, who says so, and which of its scopes go beyond that.
//!
//! Only what the user declared can make a scope pass. What a name says is the vendor's, or a thief's, own word: it may add a finding, and
//! never takes one away.

use grantwarden_kit::model::Scope;

use super::{Context, GrantView, fact};
use crate::{
    finding::Evidence,
    scopes::{Access, Assessment, DataClass, Kind, Reach, Rights},
    vendors::{self, Class, Level, TieKind},
};

/// What an app is for.
#[derive(Debug, Clone)]
pub(super) struct Purpose {
    pub(super) class: &'static Class,
    told: Told,
}

/// Who says what an app is for.
#[derive(Debug, Clone)]
enum Told {
    /// The user, in the place that is named.
    Declared(&'static str),
    /// The brand table; how surely the app is that brand's.
    Brand(String, vendors::Confidence),
    /// A word of the app's name.
    Word(&'static str),
}

/// What an app is for, by the firmest source: the user's own word (the policy's, else the register's), then the brand table, then a word of
/// the app's name.
///
/// The one place where the user's word comes in: what the policy says of the app and what the register says of its vendor.
pub(super) fn purpose_of(context: &Context<'_>, app: &str, name: &str) -> Option<Purpose> {
    if let Some(class) = context.policy.purpose.as_deref().and_then(vendors::class) {
        return Some(Purpose { class, told: Told::Declared("the policy") });
    }
    // An entry that is found by a name alone could be an impostor's: what the register says of the vendor is not said of it.
    let entry = context.surroundings.entry_of(context.tenant_name, app);
    let entry = entry.filter(|found| found.confidence < vendors::Confidence::Claimed);
    if let Some(class) = entry.and_then(|found| vendors::class(found.entry.purpose()?)) {
        return Some(Purpose { class, told: Told::Declared("the vendor register") });
    }
    let vendor = context.vendor(app);
    let members = vendor.map(|vendor| vendor.apps.as_slice()).unwrap_or_default();
    let member =
        members.iter().find(|member| member.tenant == context.tenant_name && member.app == app);
    let ties = member.map(|member| member.ties.as_slice()).unwrap_or_default();
    let brands = ties.iter().filter(|tie| tie.kind == TieKind::BrandName);
    for tie in brands {
        if let Some(class) = vendors::purpose_of_brand(&tie.value) {
            return Some(Purpose { class, told: Told::Brand(tie.value.clone(), tie.confidence) });
        }
    }
    let (class, word) = vendors::guess_purpose(name)?;
    Some(Purpose { class, told: Told::Word(word) })
}

impl Purpose {
    /// Whether the user said so.
    pub(super) const fn is_declared(&self) -> bool {
        matches!(self.told, Told::Declared(_))
    }

    /// How many doubts there are that the app is of this kind.
    pub(super) const fn doubts(&self) -> usize {
        match self.told {
            Told::Declared(_) => 0,
            Told::Brand(_, vendors::Confidence::Claimed) | Told::Word(_) => 2,
            Told::Brand(..) => 1,
        }
    }

    /// What it is, who says so, and what would do.
    pub(super) fn evidence(&self) -> Evidence {
        let Class { id, title, .. } = self.class;
        let (said, source) = match &self.told {
            Told::Declared(place) => (format!("{title}, declared in {place}"), *place),
            Told::Brand(brand, confidence) => (
                format!("{title}, because the app is {brand}'s by the brand table ({confidence})"),
                fact::APP_NAME,
            ),
            Told::Word(word) => (
                format!("{title}, only a guess from the word `{word}` in the app's name"),
                fact::APP_NAME,
            ),
        };
        let needs = self.class.sentence();
        Evidence::new("purpose", format!("{said} (`{id}`): such an app needs {needs}"), source)
    }

    /// The scopes of the grant that such an app does not need.
    pub(super) fn excess(&self, view: &GrantView<'_>) -> Vec<Scope> {
        let Some(set) = view.scopes() else { return Vec::new() };
        let raw = view.raw_scopes().iter().zip(&set.scopes);
        raw.filter(|(_, scope)| !self.covers(view, scope)).map(|(raw, _)| raw.clone()).collect()
    }

    /// Whether such an app needs what the scope gives to this holder.
    fn covers(&self, view: &GrantView<'_>, scope: &Assessment<'_>) -> bool {
        let is_harmless = scope.harm_if_read.max(scope.harm_if_changed) == 0;
        if scope.access == Access::SignIn || scope.reach == Reach::Own || is_harmless {
            return true;
        }
        let is_bounded = view.context.catalog.bounded_by_user();
        let is_privileged = is_bounded && view.rights() >= Ok(Rights::ReadsAll);
        if is_bounded && view.rights() == Ok(Rights::Administers) && scope.access > Access::Read {
            // An administrator's token changes more than any one kind of data.
            return self.class.needs(DataClass::Everything, true) >= Level::Write;
        }
        let of_everybody = scope.reach >= Reach::Organisation
            || is_privileged
            || (Kind::of(view.grant) == Kind::AppOnly && !is_bounded);
        self.class.needs(scope.data, of_everybody) >= Level::of(scope.access)
            || self.class.needs(DataClass::Everything, of_everybody) >= Level::of(scope.access)
    }
}
