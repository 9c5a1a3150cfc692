//! A mail server that keeps what it is sent (RFC 5321, as much as is needed), and can be told to refuse.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A mail that has arrived.
#[derive(Clone, Debug)]
pub(crate) struct Arrived {
    /// What stood in `RCPT TO`.
    pub(crate) recipients: Vec<String>,
    /// The message, its dots unstuffed.
    pub(crate) text: String,
}

#[derive(Debug, Default)]
struct Kept {
    mails: Vec<Arrived>,
    commands: Vec<String>,
}

/// A running mail server. Dropped, it is gone, and nobody can connect any more.
pub(crate) struct MailServer {
    pub(crate) address: SocketAddr,
    kept: Arc<Mutex<Kept>>,
    task: JoinHandle<()>,
}

impl MailServer {
    pub(crate) async fn start() -> Self {
        Self::at("127.0.0.1:0".parse().unwrap()).await
    }

    pub(crate) async fn at(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let kept = Arc::new(Mutex::new(Kept::default()));
        let its = Arc::clone(&kept);
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(stream, Arc::clone(&its)));
            }
        });
        Self { address, kept, task }
    }

    /// The lines of a configuration that has mail sent here.
    pub(crate) fn configuration(&self) -> String {
        let port = self.address.port();
        format!(
            "[mail]\ntransport = \"smtp\"\nhost = \"127.0.0.1\"\nport = {port}\ntls = \"none\"\n\
             from = \"portvakt@as.test\"\nfrom_name = \"Portvakt på prøve\"\nreply_to = \"help@as.test\"\n"
        )
    }

    pub(crate) fn mails(&self) -> Vec<Arrived> {
        self.kept.lock().unwrap().mails.clone()
    }

    /// Every command that has come, beginning with `verb`.
    pub(crate) fn commands(&self, verb: &str) -> Vec<String> {
        let kept = self.kept.lock().unwrap();
        kept.commands.iter().filter(|line| line.starts_with(verb)).cloned().collect()
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Talks to one client. Whoever is called `refused` is not known here, and whoever is called `later` has no room.
async fn serve(stream: TcpStream, kept: Arc<Mutex<Kept>>) -> Option<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).split(b'\n');
    write.write_all(b"220 mail.test\r\n").await.ok()?;
    let mut recipients = Vec::new();
    while let Some(line) = lines.next_segment().await.ok()? {
        let line = String::from_utf8(line).unwrap().trim_end_matches('\r').to_owned();
        kept.lock().unwrap().commands.push(line.clone());
        let verb = line.split([' ', ':']).next().unwrap().to_ascii_uppercase();
        let reply = match verb.as_str() {
            "EHLO" => "250-mail.test\r\n250 8BITMIME\r\n",
            "RCPT" if line.contains("<refused@") => {
                "550 5.1.1 no such mailbox as refused@example.no\r\n"
            }
            "RCPT" if line.contains("<later@") => "452 4.2.2 mailbox full\r\n",
            "RCPT" => {
                let address = line.split(['<', '>']).nth(1).unwrap();
                recipients.push(address.to_owned());
                "250 ok\r\n"
            }
            "DATA" => {
                write.write_all(b"354 go on\r\n").await.ok()?;
                let mut text = String::new();
                loop {
                    let line = String::from_utf8(lines.next_segment().await.ok()??).unwrap();
                    if line == ".\r" {
                        break;
                    }
                    text += line.strip_prefix('.').unwrap_or(&line);
                    text.push('\n');
                }
                let recipients = std::mem::take(&mut recipients);
                kept.lock().unwrap().mails.push(Arrived { recipients, text });
                "250 ok\r\n"
            }
            "QUIT" => {
                let _ = write.write_all(b"221 bye\r\n").await;
                return None;
            }
            "MAIL" | "RSET" | "NOOP" => "250 ok\r\n",
            _ => "502 not here\r\n",
        };
        write.write_all(reply.as_bytes()).await.ok()?;
    }
    None
}
