//! A receiver of posted messages on this machine: answers as it is told to, and keeps what it got.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Got {
    pub(crate) line: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Got {
    /// A header's value, by its name in lower case.
    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(other, _)| other == name);
        found.map(|(_, value)| value.as_str()).unwrap_or_else(|| panic!("no {name} in {self:?}"))
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// The receiver.
pub(crate) struct Receiver {
    port: u16,
    got: Arc<Mutex<Vec<Got>>>,
}

impl Receiver {
    /// Gives each answer once, in turn, and the last for ever; `""` is silence. `PATH` stands for the path that was asked for.
    pub(crate) fn answering(answers: &[&str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let got = Arc::new(Mutex::new(Vec::new()));
        let (kept, answers) = (
            Arc::clone(&got),
            answers.iter().map(|answer| (*answer).to_owned()).collect::<Vec<_>>(),
        );
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (kept, answers) = (Arc::clone(&kept), answers.clone());
                thread::spawn(move || serve(stream.unwrap(), &kept, &answers));
            }
        });
        Self { port, got }
    }

    /// An address with a path that nobody must see.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hooks/FAKE-path-of-a-hook", self.port)
    }

    pub(crate) fn got(&self) -> Vec<Got> {
        self.got.lock().unwrap().clone()
    }
}

fn serve(stream: TcpStream, kept: &Mutex<Vec<Got>>, answers: &[String]) {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    let mut headers = Vec::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).unwrap();
        let Some((name, value)) = header.trim().split_once(':') else { break };
        headers.push((name.to_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let mut body = vec![0; length.map_or(0, |(_, length)| length.parse().unwrap())];
    reader.read_exact(&mut body).unwrap();
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let body = String::from_utf8(body).unwrap();
    let number = {
        let mut kept = kept.lock().unwrap();
        kept.push(Got { line, headers, body });
        kept.len()
    };
    let answer = answers.get(number - 1).or(answers.last()).unwrap();
    if answer.is_empty() {
        thread::sleep(Duration::from_secs(30));
        return;
    }
    let (head, text) = answer.split_once('|').unwrap_or((answer, ""));
    let text = text.replace("PATH", &path);
    let head = head.replace('\n', "\r\n");
    write!(
        reader.get_mut(),
        "HTTP/1.1 {head}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{text}",
        text.len()
    )
    .unwrap();
}
