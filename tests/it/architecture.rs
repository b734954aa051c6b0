//! The direction of dependencies, as DESIGN has it: kit <- platform crates <- tool; the lab stands alone.

use std::{collections::BTreeSet, process::Command};

use serde_json::Value;

#[test]
fn crates_depend_in_one_direction() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut seen = 0;
    for package in metadata["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        let used: BTreeSet<&str> = package["dependencies"]
            .as_array()
            .unwrap()
            .iter()
            // What tests use does not ship.
            .filter(|dependency| dependency["kind"] != "dev" && dependency["optional"] == false)
            .map(|dependency| dependency["name"].as_str().unwrap())
            .filter(|dependency| dependency.starts_with("grantwarden"))
            .collect();
        let allowed: &[&str] = match name {
            "grantwarden" => continue,
            "grantwarden-kit" | "grantwarden-lab" => &[],
            _ => &["grantwarden-kit"],
        };
        assert!(used.iter().all(|dependency| allowed.contains(dependency)), "{name} uses {used:?}");
        seen += 1;
    }
    assert!(seen >= 3);
}

/// A module of the tool uses only those above it in the list of `lib.rs`.
#[test]
fn modules_use_only_those_above_them() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
    let list = std::fs::read_to_string(format!("{root}/lib.rs")).unwrap();
    let order: Vec<String> = list
        .lines()
        .filter_map(|line| line.strip_prefix("//! * "))
        .flat_map(|line| line.split(':').next().unwrap().split(", "))
        .map(|name| name.trim_matches(|c| "[]`".contains(c)).to_owned())
        .collect();
    assert!(order.len() >= 10, "{order:?}");
    for (at, module) in order.iter().enumerate() {
        for text in sources(root, module) {
            for (below, other) in order.iter().enumerate().skip(at + 1) {
                let uses = [
                    format!("crate::{other}::"),
                    format!("    {other}::"),
                    format!("    {other},"),
                ];
                let imports = text
                    .split("use crate::")
                    .skip(1)
                    .map(|rest| rest.split(';').next().unwrap_or_default());
                let used = imports.into_iter().any(|import| {
                    import.starts_with(&format!("{other}::"))
                        || uses[1..].iter().any(|form| import.contains(form.as_str()))
                });
                assert!(!used, "{module} ({at}) uses {other} ({below}), which stands below it");
            }
        }
    }
}

fn sources(root: &str, module: &str) -> Vec<String> {
    let file = format!("{root}/{module}.rs");
    if let Ok(text) = std::fs::read_to_string(file) {
        return vec![text];
    }
    let folder = std::fs::read_dir(format!("{root}/{module}")).unwrap();
    folder.filter_map(|entry| std::fs::read_to_string(entry.unwrap().path()).ok()).collect()
}
