//! The Admin console's list of clients with domain-wide delegation, as an administrator downloads it. Google does not document its
//! columns: two are needed, whatever the others are.

use std::collections::BTreeMap;

use csv_core::ReadRecordResult;

use crate::api::split_scopes;

/// Reads the file: scopes by client id. What does not fit together is refused, because a client or a scope would be missed.
///
/// # Errors
/// What is wrong with it.
pub(super) fn read(file: &[u8]) -> Result<BTreeMap<String, Vec<String>>, String> {
    let file = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file);
    // In a field of its own kind a quote is written twice.
    if file.iter().filter(|byte| **byte == b'"').count() % 2 == 1 {
        return Err("the export of delegated clients has a quote that is not closed".to_owned());
    }
    let mut lines =
        lines(file)?.into_iter().filter(|line| line.iter().any(|field| !field.is_empty()));
    let header = lines.next().ok_or("the export of delegated clients is empty")?;
    let column = |is: &dyn Fn(&str) -> bool| {
        header.iter().position(|name| is(&name.trim().to_lowercase().replace('_', " ")))
    };
    let is_id = |name: &str| {
        let words: Vec<&str> = name.split_whitespace().collect();
        words.windows(2).any(|pair| pair == ["client", "id"])
    };
    let id =
        column(&is_id).ok_or("the export of delegated clients has no column with client IDs")?;
    let scopes = column(&|name: &str| name.contains("scope"))
        .ok_or("the export of delegated clients has no column with scopes")?;
    let mut clients: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (number, line) in lines.enumerate() {
        let refuse = |what: &str| {
            Err(format!("line {} of the export of delegated clients {what}", number + 2))
        };
        if line.len() != header.len() {
            return refuse(
                "has not as many fields as the header: several scopes in one field take quotes around them",
            );
        }
        let client = line.get(id).map(|field| field.trim()).unwrap_or_default();
        if client.is_empty() {
            return refuse("has no client ID");
        }
        if !client.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte)) {
            return refuse("has a client ID with characters that no client ID has");
        }
        let told = split_scopes(line.get(scopes).map(String::as_str).unwrap_or_default());
        if !told.iter().all(|scope| is_scope(scope)) {
            return refuse("has scopes that are no scopes of Google");
        }
        let known = clients.entry(client.to_owned()).or_default();
        known.extend(told);
        known.sort_unstable();
        known.dedup();
    }
    Ok(clients)
}

/// Scopes of Google are addresses, but for those of OpenID Connect (API sheet, section 6).
fn is_scope(text: &str) -> bool {
    matches!(text, "openid" | "email" | "profile")
        || url::Url::parse(text)
            .is_ok_and(|url| matches!(url.scheme(), "https" | "http") && url.has_host())
}

/// Cuts a CSV file (RFC 4180) into fields.
fn lines(mut input: &[u8]) -> Result<Vec<Vec<String>>, String> {
    let separator = if has_more_tabs(input) { b'\t' } else { b',' };
    let mut reader = csv_core::ReaderBuilder::new().delimiter(separator).build();
    // No field is longer than the file.
    let (mut output, mut ends) = (vec![0; input.len() + 1], vec![0; input.len() + 2]);
    let mut lines = Vec::new();
    let (mut filled, mut fields) = (0, 0);
    loop {
        let (result, read, written, ended) =
            reader.read_record(input, &mut output[filled..], &mut ends[fields..]);
        input = &input[read..];
        filled += written;
        fields += ended;
        match result {
            // An empty input is the file's end.
            ReadRecordResult::InputEmpty => {}
            ReadRecordResult::End => return Ok(lines),
            ReadRecordResult::Record => {
                let mut line = Vec::with_capacity(fields);
                let mut start = 0;
                for end in &ends[..fields] {
                    let text =
                        output.get(start..*end).and_then(|text| std::str::from_utf8(text).ok());
                    line.push(
                        text.ok_or("the export of delegated clients is not UTF-8")?.to_owned(),
                    );
                    start = *end;
                }
                lines.push(line);
                (filled, fields) = (0, 0);
            }
            ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {
                return Err("the export of delegated clients cannot be cut into fields".to_owned());
            }
        }
    }
}

fn has_more_tabs(file: &[u8]) -> bool {
    let header = file.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let count = |of: u8| header.iter().filter(|byte| **byte == of).count();
    count(b'\t') > count(b',')
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRIVE: &str = "https://www.googleapis.com/auth/drive";
    const MAIL: &str = "https://mail.google.com/";

    #[test]
    fn reads_scopes_however_they_are_separated() {
        for text in [
            format!("\u{feff}Name,Client ID,Scopes\nSync,1001,\"{DRIVE}, {MAIL}\"\n"),
            format!("client_id,oauth scopes\r\n1001,\"{DRIVE}\n{MAIL}\"\r\n"),
            format!("OAuth Client Id\tScopes\n1001\t{DRIVE} {MAIL}"),
            format!("Client provider,Client ID,Scopes\nAcme,1001,\"{DRIVE},{MAIL}\"\n"),
            format!("Client ID,Scopes\n1001,{DRIVE}\n\n1001,{MAIL}\n"),
        ] {
            let clients = read(text.as_bytes()).unwrap();
            assert_eq!(clients["1001"], [MAIL, DRIVE], "{text}");
        }
        assert!(read(b"Client ID,Scopes\n").unwrap().is_empty());
    }

    #[test]
    fn says_what_is_wrong() {
        for (text, word) in [
            ("", "empty"),
            ("Name,Scopes\nx,y", "client IDs"),
            ("Client ID,Name\n1,x", "scopes"),
            ("Client ID,Scopes\n,https://mail.google.com/", "line 2"),
            ("Client ID,Scopes\n1,https://a.example/x,https://b.example/y", "as many fields"),
            ("Client ID,Scopes\n1", "as many fields"),
            ("Client ID,Scopes\n1,\"https://a.example/x\n2,https://b.example/y\n", "not closed"),
            ("Client ID,Scopes\n1,\"https://a.example/x\n2,\"https://b.example/y\n", "line 2"),
            ("Client ID,Scopes\n1,drive", "no scopes of Google"),
            ("Client ID,Scopes\n1 2,openid", "characters"),
            ("Client provider,Scopes\nAcme,openid", "client IDs"),
        ] {
            assert!(read(text.as_bytes()).unwrap_err().contains(word), "{text}");
        }
        assert!(read(b"Client ID,Scopes\n\xff,x").unwrap_err().contains("UTF-8"));
    }
}
