//! The page, built into the binary, and the server that shows it on this machine alone.
//!
//! The files are what `lab/build` makes of `lab` and `crates/pullback-wasm`; in a folder they work from any static host.

use lzma_rust2::XzReader;
use std::io::{BufRead, BufReader, Read, Result, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

/// What `lab/build` packs: a tar archive, compressed by xz, a quarter of what the files are.
const PACKED: &[u8] = include_bytes!("../lab.tar.xz");

/// The files by their names.
fn files() -> &'static [(String, Vec<u8>)] {
    static FILES: LazyLock<Vec<(String, Vec<u8>)>> = LazyLock::new(|| {
        let mut archive = Vec::new();
        XzReader::new(PACKED, false)
            .read_to_end(&mut archive)
            .expect("the page was packed whole, which a test looks at");
        unpacked(&archive)
    });
    &FILES
}

/// The files of a tar archive. All that it may have is files with short names: it is our own.
fn unpacked(archive: &[u8]) -> Vec<(String, Vec<u8>)> {
    const BLOCK: usize = 512;
    let mut files = Vec::new();
    let mut rest = archive;
    while let Some((header, content)) = rest.split_at_checked(BLOCK) {
        // A field ends where a zero is.
        let field = |range: Range<usize>| {
            let text = header[range].split(|byte| *byte == 0).next().unwrap_or_default();
            String::from_utf8_lossy(text).trim().to_owned()
        };
        let name = field(0..100);
        if name.is_empty() {
            break;
        }
        let size = usize::from_str_radix(&field(124..136), 8).expect("a size is octal");
        if !name.ends_with('/') {
            files.push((name.trim_start_matches("./").to_owned(), content[..size].to_vec()));
        }
        rest = &content[size.next_multiple_of(BLOCK)..];
    }
    files
}

/// Writes the page into a folder, from which any server shows it, and what it opens beside it.
pub(crate) fn write(folder: &Path, given: Option<&str>) -> Result<()> {
    let given = given.map(|given| (Server::GIVEN, given.as_bytes()));
    for (name, content) in files().iter().map(|(name, content)| (&name[..], &content[..])).chain(given) {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap_or(folder))?;
        std::fs::write(path, content)?;
    }
    Ok(())
}

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
    files().iter().find(|(own, _)| own == name).map(|(_, content)| &content[..])
}

/// Answers requests until the browser closes.
fn answer(stream: &TcpStream, port: u16, given: Option<&[u8]>) -> Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    loop {
        let mut head = Vec::new();
        let mut limited = (&mut reader).take(LONGEST_HEAD);
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
    fn the_page_is_whole() {
        let names: Vec<&str> = files().iter().map(|(name, _)| &name[..]).collect();
        assert!(names.is_sorted(), "{names:?}");
        let page = std::str::from_utf8(file("index.html").expect("a page")).expect("text");
        // What the page and its engine load.
        let code = ["index.js", "index.css", "worker.js", "errors.js", "engine.wasm", "training.wasm"];
        for name in
            code.into_iter().chain(["messages/en.json", "messages/ko.json", "messages/errors.ko.json"])
        {
            assert!(file(name).is_some_and(|content| !content.is_empty()), "{name} of {names:?}");
        }
        assert!(page.contains("index.js") && page.trim_end().ends_with("</html>"));
        assert!(file("engine.wasm").is_some_and(|engine| engine.starts_with(b"\0asm")));
        assert_eq!(file("Cargo.toml"), None);
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
