//! What scopes let their holder do, in words.

use super::{catalogs::read, *};

fn sentence(platform: &str, names: &[&str], kind: Kind) -> String {
    read(platform).assess_set(&named(names), kind).sentence(kind)
}

#[test]
fn a_sentence_tells_verbs_data_and_reach() {
    use Kind::{AppOnly, Delegated};
    let microsoft = "microsoft-365";
    let google = "google-workspace";
    let auth = "https://www.googleapis.com/auth/";
    for (platform, names, kind, expected) in [
        (
            microsoft,
            &["Mail.ReadWrite", "Mail.Send"][..],
            AppOnly,
            "can read, change and send mail as any mailbox in the tenant",
        ),
        (
            microsoft,
            &["Mail.ReadWrite", "Mail.Send", "User.Read"],
            Delegated,
            "can read, change and send mail as its user",
        ),
        (microsoft, &["Mail.Send"], Delegated, "can send mail as its user"),
        (
            microsoft,
            &["Mail.ReadWrite", "Mail.Send", "Files.ReadWrite"],
            Delegated,
            "can read and change all files that its user can reach, and read, change and send mail as its user",
        ),
        (microsoft, &["Mail.Read"], AppOnly, "can read mail in any mailbox of the tenant"),
        (
            microsoft,
            &["Mail.Read", "Files.ReadWrite.All"],
            AppOnly,
            "can read and change files of the whole tenant, without a user, and read mail in any mailbox of the tenant",
        ),
        (
            google,
            &[&format!("{auth}gmail.readonly"), &format!("{auth}drive.file")],
            Delegated,
            "can read all mail and read and change a part of the files that its user can reach",
        ),
        (
            google,
            &[&format!("{auth}admin.directory.group")],
            Delegated,
            "can read and administer users and groups of the whole organisation, as far as its user may",
        ),
        (
            google,
            &[&format!("{auth}cloud-platform")],
            Delegated,
            "can do everything in the whole organisation that its user may do",
        ),
        (
            google,
            &[&format!("{auth}user.birthday.read")],
            Delegated,
            "can read the profile data of its user",
        ),
        ("salesforce", &["full"], AppOnly, "can do everything that the app itself can do"),
        (
            "okta",
            &["okta.users.read"],
            AppOnly,
            "can read users and groups of the whole tenant, without a user",
        ),
    ] {
        assert_eq!(sentence(platform, names, kind), expected, "{platform} {names:?} {kind:?}");
    }
}

/// Every scope of every catalog has a sentence that can be read, and that does not say less than the facts.
#[test]
fn every_scope_has_a_sentence() {
    for platform in catalogs::platforms() {
        let catalog = read(platform);
        for entry in catalog.entries() {
            for kind in
                [Kind::Delegated, Kind::AppOnly].into_iter().filter(|kind| entry.exists_as(*kind))
            {
                let found = catalog.assess_entry(entry, kind);
                let sentence = found.sentence(kind);
                let name = format!("{platform}: {} {kind:?}: {sentence}", entry.name);
                assert!(sentence.starts_with("can ") && !sentence.contains("  "), "{name}");
                assert!(sentence.len() < 160, "{name}");
                let matters = found.access != Access::SignIn && found.data != DataClass::None;
                let says = |words: &[&str]| words.iter().any(|word| sentence.contains(word));
                if matters && found.harm_if_read > 0 {
                    assert!(says(&["read", "fully control", "do everything"]), "{name}");
                }
                if matters && found.harm_if_changed > 0 {
                    assert!(
                        says(&[
                            "change",
                            "add",
                            "administer",
                            "send",
                            "fully control",
                            "do everything"
                        ]),
                        "{name}"
                    );
                }
                if matters
                    && found.reach == Reach::Tenant
                    && found.harm_if_read.max(found.harm_if_changed) > 0
                {
                    assert!(says(&["tenant"]), "{name}");
                }
            }
        }
    }
}
