-- Each tier is kept for five years, and the month that events may be older than that when they come; see docs/storage.md for keeping
-- windows shorter. What is gone goes by whole parts, a month of windows or a year of hours at a time, and nothing is rewritten for it; days,
-- which have no partitions, are rewritten without it once a month.
ALTER TABLE windows MODIFY SETTING ttl_only_drop_parts = 1;
ALTER TABLE windows MODIFY TTL window_start + INTERVAL 1860 DAY SETTINGS materialize_ttl_after_modify = 0;
ALTER TABLE hours MODIFY SETTING ttl_only_drop_parts = 1;
ALTER TABLE hours MODIFY TTL start + INTERVAL 1860 DAY SETTINGS materialize_ttl_after_modify = 0;
ALTER TABLE days MODIFY TTL start + INTERVAL 1860 DAY SETTINGS materialize_ttl_after_modify = 0;
