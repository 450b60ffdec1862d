//! A record that cannot be read, as after a step back to an older version: it must not take the others with it.

use crate::contract::Keeper;
use crate::contract::unreadable::Broken;
use crate::redis_store::RedisKeeper;

#[tokio::test]
async fn what_cannot_be_read_is_passed_over_in_lists_of_any_size() {
    let keeper = RedisKeeper::fresh().await;
    let broken = Broken::fill(&*keeper.store).await;
    let client = redis::Client::open(keeper.server.url()).unwrap();
    let mut server = client.get_multiplexed_async_connection().await.unwrap();
    for key in [format!("campaign:{}", broken.campaign.id), format!("job:{}", broken.job.id())] {
        // The head stays; a record begins with a brace, or with the mark of a packed one.
        let key = format!("{{gymcall}}:{key}");
        let value: Vec<u8> = redis::cmd("GET").arg(&key).query_async(&mut server).await.unwrap();
        let head = value.iter().position(|byte| matches!(byte, b'{' | 1)).unwrap();
        let () =
            redis::cmd("SET").arg(&key).arg([&value[..head], b"{?"].concat()).query_async(&mut server).await.unwrap();
    }
    // An entry of a stream cannot be changed: the list is written anew, with others in the places of those.
    let key = "{gymcall}:announcements";
    let told: Vec<(String, Vec<String>)> =
        redis::cmd("XRANGE").arg(key).arg("-").arg("+").query_async(&mut server).await.unwrap();
    let () = redis::cmd("DEL").arg(key).query_async(&mut server).await.unwrap();
    for (place, (id, fields)) in told.iter().enumerate() {
        let record = if (1..4).contains(&place) { "?" } else { fields[1].as_str() };
        let () = redis::cmd("XADD").arg(key).arg(id).arg("a").arg(record).query_async(&mut server).await.unwrap();
    }
    broken.is_passed_over(&*keeper.store).await;
}
