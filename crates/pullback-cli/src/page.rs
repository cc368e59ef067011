//! The page, built into the binary, and the server that shows it on this machine alone.
//!
//! The files are what `lab/build` makes of `lab` and `crates/pullback-wasm`; the same folder works from any static host.

use std::io::{BufRead, BufReader, Result, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_bytes!(concat!("../lab/", $name)))),*]
    };
}

/// The files by their names.
const FILES: &[(&str, &[u8])] = files![
    "embed-demo.js",
    "embed.html",
    "engine.wasm",
    "icon.svg",
    "index.css",
    "index.html",
    "index.js",
    "lessons/back-propagation.ko.toml",
    "lessons/back-propagation.toml",
    "messages/en.json",
    "messages/ko.json",
    "models/digits.json",
    "models/digits.safetensors",
    "pullback-step.js",
    "qrcode.js",
    "worker.js",
];

/// The longest head of a request; browsers send less.
const LONGEST_HEAD: u64 = 64 << 10;
/// A browser opens connections that it does not use.
const PATIENCE: Duration = Duration::from_secs(20);

/// The page on a port of this machine, with a file that it opens.
#[derive(Debug)]
pub(crate) struct Server {
    listener: TcpListener,
    given: Option<Arc<[u8]>>,
}

impl Server {
    /// The name under which the page finds what it opens.
    pub(crate) const GIVEN: &'static str = "given.json";

    /// Takes a port; 0 takes a free one.
    pub(crate) fn bind(port: u16, given: Option<String>) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        Ok(Self { listener, given: given.map(|text| text.into_bytes().into()) })
    }

    /// Where the page is.
    pub(crate) fn address(&self) -> Result<String> {
        Ok(format!("http://127.0.0.1:{}/", self.listener.local_addr()?.port()))
    }

    /// Answers until the process ends.
    pub(crate) fn serve(&self) -> Result<()> {
        let port = self.listener.local_addr()?.port();
        for stream in self.listener.incoming() {
            let Ok(stream) = stream else { continue };
            let given = self.given.clone();
            // What goes wrong with one connection is the browser's to try again.
            std::thread::spawn(move || answer(&stream, port, given.as_deref()).ok());
        }
        Ok(())
    }
}

/// The file of that name.
pub(crate) fn file(name: &str) -> Option<&'static [u8]> {
    FILES.iter().find(|(own, _)| *own == name).map(|(_, content)| *content)
}

/// Answers requests until the browser closes.
fn answer(stream: &TcpStream, port: u16, given: Option<&[u8]>) -> Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    loop {
        let mut head = Vec::new();
        let mut limited = std::io::Read::take(&mut reader, LONGEST_HEAD);
        loop {
            let before = head.len();
            limited.read_until(b'\n', &mut head)?;
            match &head[before..] {
                b"\r\n" | b"\n" if before > 0 => break,
                [.., b'\n'] => {}
                _ => return Ok(()),
            }
        }
        let head = String::from_utf8_lossy(&head);
        let (status, kind, body) = found(&head, port, given);
        let mut stream = stream;
        write!(
            stream,
            "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\
             Cache-Control: no-cache\r\nX-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n\r\n",
            body.len()
        )?;
        if !head.starts_with("HEAD ") {
            stream.write_all(body)?;
        }
        stream.flush()?;
    }
}

/// The answer to a request's head: status, type, content.
fn found<'a>(head: &str, port: u16, given: Option<&'a [u8]>) -> (&'static str, &'static str, &'a [u8]) {
    const PLAIN: &str = "text/plain; charset=utf-8";
    let mut words = head.split_whitespace();
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    if !["GET", "HEAD"].contains(&method) {
        return ("405 Method Not Allowed", PLAIN, b"only GET\n");
    }
    // Another site that has its name point here gets nothing (DNS rebinding).
    let host = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("host").then(|| value.trim())
    });
    let own = ["127.0.0.1", "localhost"].map(|name| format!("{name}:{port}"));
    if !host.is_some_and(|host| own.iter().any(|own| own == host)) {
        return ("403 Forbidden", PLAIN, b"this page is for this machine\n");
    }
    let name = target.split(['?', '#']).next().unwrap_or_default().trim_start_matches('/');
    let name = if name.is_empty() { "index.html" } else { name };
    match file(name).or_else(|| given.filter(|_| name == Server::GIVEN)) {
        Some(content) => ("200 OK", kind(name), content),
        None => ("404 Not Found", PLAIN, b"there is no such file\n"),
    }
}

fn kind(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, end)| end) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("wasm") => "application/wasm",
        Some("svg") => "image/svg+xml",
        Some("json") => "application/json",
        _ => "text/plain; charset=utf-8",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_page_is_in_the_binary() {
        let mut there = Vec::new();
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("lab");
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let name = path.strip_prefix(&root).expect("within").to_string_lossy().replace('\\', "/");
                    there.push(name);
                }
            }
        }
        there.sort();
        let mut own: Vec<&str> = FILES.iter().map(|(name, _)| *name).collect();
        own.sort_unstable();
        assert_eq!(there, own, "name them in FILES");
    }

    #[test]
    fn other_sites_methods_and_files_get_nothing() {
        let ask = |head: &str| found(head, 80, Some(b"{}")).0;
        assert_eq!(ask("GET / HTTP/1.1\r\nHost: 127.0.0.1:80\r\n\r\n"), "200 OK");
        assert_eq!(ask("GET /given.json?x HTTP/1.1\r\nhost: localhost:80\r\n\r\n"), "200 OK");
        assert_eq!(ask("GET / HTTP/1.1\r\nHost: evil.example:80\r\n\r\n"), "403 Forbidden");
        assert_eq!(ask("GET / HTTP/1.1\r\n\r\n"), "403 Forbidden");
        assert_eq!(ask("POST / HTTP/1.1\r\nHost: 127.0.0.1:80\r\n\r\n"), "405 Method Not Allowed");
        assert_eq!(ask("GET /../Cargo.toml HTTP/1.1\r\nHost: 127.0.0.1:80\r\n\r\n"), "404 Not Found");
        assert_eq!(
            found("GET /given.json HTTP/1.1\r\nHost: 127.0.0.1:80\r\n\r\n", 80, None).0,
            "404 Not Found"
        );
    }
}
