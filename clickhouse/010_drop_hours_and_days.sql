-- What `roll_ups` has taken the place of (009), and taken over; nothing reads or writes them.
DROP TABLE IF EXISTS hours SYNC;
DROP TABLE IF EXISTS days SYNC;
