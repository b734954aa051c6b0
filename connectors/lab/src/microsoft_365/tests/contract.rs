//! The lab's answers against Microsoft's own description of them. The description is shared by the
//! project's engineers and not part of the repository; without it the test says that it was skipped.

use std::path::PathBuf;

use super::*;

fn description() -> Option<Json> {
    #[expect(clippy::disallowed_methods, reason = "only a test looks for the shared data")]
    let folder = std::env::var_os("GRANTWARDEN_SHARED").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let text = std::fs::read_to_string(folder.join("specs/graph-grants-ex.json")).ok()?;
    Some(serde_json::from_str(&text).unwrap())
}

/// A description in `OpenAPI` 3.0 says `nullable` where JSON Schema lists the type `null`.
fn as_json_schema(value: &mut Json) {
    if let Some(object) = value.as_object_mut() {
        if object.remove("nullable") == Some(json!(true)) && object.contains_key("type") {
            let kind = object["type"].clone();
            object.insert("type".to_owned(), json!([kind, "null"]));
            if let Some(values) = object.get_mut("enum").and_then(Json::as_array_mut) {
                values.push(Json::Null);
            }
        }
        object.remove("example");
        object.values_mut().for_each(as_json_schema);
    } else if let Some(list) = value.as_array_mut() {
        list.iter_mut().for_each(as_json_schema);
    }
}

/// The complaints of the description about one object.
fn complaints(description: &Json, entity: &str, object: &Json) -> Vec<String> {
    let name = format!("microsoft.graph.{entity}");
    let schema = &description["components"]["schemas"][&name];
    assert!(schema["properties"].is_object(), "{entity} is not described");
    let unknown = object.as_object().unwrap().keys().filter(|property| {
        schema["properties"].get(property.as_str()).is_none()
            && property.as_str() != "@odata.context"
    });
    let mut found: Vec<String> =
        unknown.map(|property| format!("{entity}: no property {property}")).collect();
    let root = json!({
        "$ref": format!("#/components/schemas/{name}"),
        "components": description["components"],
    });
    let validator = jsonschema::options().should_validate_formats(true).build(&root).unwrap();
    found.extend(
        validator.iter_errors(object).map(|it| format!("{entity}{}: {it}", it.instance_path())),
    );
    found
}

#[tokio::test]
async fn answers_are_as_microsoft_describes_them() {
    let Some(mut description) = description() else {
        println!("skipped: no shared data");
        return;
    };
    as_json_schema(&mut description);
    let bench = Bench::small().await;
    let mut checked = 0;
    let mut found = Vec::new();
    for (path, entity) in [
        ("/servicePrincipals".to_owned(), "servicePrincipal"),
        ("/applications".to_owned(), "application"),
        ("/oauth2PermissionGrants".to_owned(), "oAuth2PermissionGrant"),
        (format!("/servicePrincipals/{GRAPH_ID}/appRoleAssignedTo"), "appRoleAssignment"),
        (format!("/servicePrincipals/{BACKUP_ROBOT}/appRoleAssignments"), "appRoleAssignment"),
        (
            format!("/applications/{INVOICES}/federatedIdentityCredentials"),
            "federatedIdentityCredential",
        ),
        ("/auditLogs/directoryAudits".to_owned(), "directoryAudit"),
        ("/auditLogs/signIns".to_owned(), "signIn"),
        (
            "/policies/permissionGrantPolicies?$expand=includes,excludes".to_owned(),
            "permissionGrantPolicy",
        ),
        ("/servicePrincipals?$expand=appRoleAssignments&$select=id".to_owned(), "servicePrincipal"),
    ] {
        let rows = bench.rows(&path).await;
        assert!(!rows.is_empty(), "{path}");
        for row in rows {
            checked += 1;
            found.extend(complaints(&description, entity, &row));
        }
    }
    let (_, policy) = bench.get("/policies/authorizationPolicy").await;
    found.extend(complaints(&description, "authorizationPolicy", &policy));
    found.sort();
    found.dedup();
    assert!(found.is_empty(), "{checked} objects checked: {found:#?}");
    assert!(checked > 100, "{checked}");

    let mut broken = bench.rows("/oauth2PermissionGrants").await.remove(0);
    broken["scope"] = json!(7);
    broken["startTime"] = json!("2026-01-01T00:00:00Z");
    assert_eq!(complaints(&description, "oAuth2PermissionGrant", &broken).len(), 2, "it can fail");
}
