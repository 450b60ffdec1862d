//! The processes of a site, which die and are started again.

use rand::{Rng, RngExt};

use super::api::Api;
use super::program::Program;
use super::server::Server;
use super::site::Site;

pub struct Troupe {
    servers: Vec<Server>,
    workers: Vec<Program>,
    /// How many were started again that nobody had killed.
    pub replaced: usize,
}

impl Troupe {
    pub async fn start(site: &Site, server_count: usize, worker_count: usize) -> Self {
        let mut troupe = Self { servers: Vec::new(), workers: Vec::new(), replaced: 0 };
        for nth in 0..server_count {
            troupe.servers.push(Server::start(site.serve_as(nth)).await);
        }
        for _ in 0..worker_count {
            troupe.workers.push(site.worker(|_| {}).await);
        }
        troupe
    }

    pub fn servers(&self) -> usize {
        self.servers.len()
    }

    pub fn workers(&self) -> usize {
        self.workers.len()
    }

    /// The first server's interface.
    pub fn api(&self) -> &Api {
        &self.servers[0].api
    }

    pub fn any(&self, dice: &mut impl Rng) -> &Program {
        let nth = dice.random_range(0..self.workers.len() + self.servers.len());
        self.workers.get(nth).unwrap_or_else(|| &self.servers[nth - self.workers.len()].program)
    }

    /// `kill -9`, and another in its place. The same for the next.
    pub async fn kill_server(&mut self, site: &Site, nth: usize) {
        self.servers[nth].program.kill_and_reap();
        self.servers[nth] = Server::start(site.serve_as(nth)).await;
    }

    pub async fn kill_worker(&mut self, site: &Site, nth: usize) {
        self.workers[nth].kill_and_reap();
        self.workers[nth] = site.worker(|_| {}).await;
    }

    /// Starts again what has ended by itself, as whoever runs it would.
    pub async fn replace(&mut self, site: &Site) {
        for nth in 0..self.workers.len() {
            if self.workers[nth].has_ended() {
                self.kill_worker(site, nth).await;
                self.replaced += 1;
            }
        }
        for nth in 0..self.servers.len() {
            if self.servers[nth].program.has_ended() {
                self.kill_server(site, nth).await;
                self.replaced += 1;
            }
        }
    }

    /// The most memory that any of them has held up to now, in MB.
    pub fn peak_mb(&self) -> u64 {
        let servers = self.servers.iter().map(|server| &server.program);
        self.workers.iter().chain(servers).map(Program::peak_mb).max().unwrap_or_default()
    }
}
