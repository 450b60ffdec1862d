//! Records that cannot be read, among others. How they are broken is each keeper's own.

use gymcall_jobs::announcement::{Announcement, AnnouncementId};
use gymcall_jobs::campaign::{Campaign, CampaignState};
use gymcall_jobs::job::CallJob;
use gymcall_jobs::store::{JobQuery, Store};

use super::announcements::{announce, announcement};
use super::fixtures::*;

/// What is to be broken: these, and the announcements 2 to 4 of 5.
pub struct Broken {
    pub told: Vec<Announcement>,
    pub campaign: Campaign,
    pub job: CallJob,
}

impl Broken {
    /// Each has one neighbour on either side.
    pub async fn fill(store: &dyn Store) -> Self {
        let told: Vec<Announcement> = (1..=5).map(announcement).collect();
        announce(store, told.clone()).await;
        let mut campaigns = Vec::new();
        let mut jobs = Vec::new();
        for number in 1..=3 {
            campaigns.push(add_campaign(store, CampaignState::Draft).await);
            jobs.push(add(store, job(None, number, start())).await);
        }
        Self { told, campaign: campaigns.swap_remove(1), job: jobs.swap_remove(1) }
    }

    pub async fn is_passed_over(&self, store: &dyn Store) {
        let mut place = AnnouncementId::START;
        for told in [&self.told[0], &self.told[4]] {
            let found = store.announcements(place, 1).await.unwrap();
            let [item] = found.items.as_slice() else { panic!("{found:?}") };
            assert!(!found.gap && item.announcement == *told, "{item:?}");
            place = item.id;
        }
        assert_eq!(store.announcements(place, 1).await.unwrap().items, []);
        let (mut listed, mut cursor) = (Vec::new(), None);
        for _ in 0..3 {
            let page = store.campaigns(cursor, 1).await.unwrap();
            listed.extend(page.items);
            cursor = page.next;
        }
        assert_eq!((listed.len(), cursor), (2, None));
        let (mut listed, mut cursor) = (Vec::new(), None);
        for _ in 0..3 {
            let page = store.jobs(JobQuery { cursor, limit: 1, ..JobQuery::default() }).await.unwrap();
            listed.extend(page.items);
            cursor = page.next;
        }
        assert_eq!((listed.len(), cursor), (2, None));
    }
}
