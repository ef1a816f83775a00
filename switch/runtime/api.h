/* What the Python side calls; read by cffi, so plain declarations only.
 *
 * Tables, profiles and so on are numbered as in the program's shape. Functions that can fail return a negative errno.
 * Those of the control path take effect between packets; control_begin() to control_end() makes many of them one instant. */

struct device;

struct port_stats {
    uint64_t rx_packets, rx_bytes, rx_dropped, rx_unsupported;
    uint64_t tx_packets, tx_bytes, tx_dropped;
    uint32_t up, index;
};

/* `packets` and `bytes`: of the direct counters of entries that are there; hits and misses: of programs that count them. */
struct table_counts { uint64_t entries, hits, misses, packets, bytes; };

/* With an excess burst, a single-rate meter: the peak is not looked at. */
struct rates { double committed, committed_burst, peak, peak_burst, excess_burst; };

struct device *device_new(uint32_t cpu_port);
void device_free(struct device *d);
uint64_t device_now(struct device *d);
uint32_t device_header_room(void);

void control_begin(struct device *d);
void control_end(struct device *d);

/* A row to add: key words, mask words, low and high bounds of ranges, parameters. To find, what follows the bounds is
 * not looked at. A row that is found: handle, action, priority, packets, bytes, and then the same. */
int64_t device_table_add(struct device *d, uint32_t table, int32_t priority, uint32_t action, const void *row);
uint32_t device_table_find(struct device *d, uint32_t table, int32_t priority, const void *row);
uint32_t device_table_rows(struct device *d, uint32_t table, uint32_t from, uint32_t count, uint64_t *rows);
int device_table_change(struct device *d, uint32_t table, uint32_t entry, uint32_t action, const void *parameters);
int device_table_remove(struct device *d, uint32_t table, uint32_t entry);
int device_table_default(struct device *d, uint32_t table, uint32_t action, const void *parameters);
int device_table_default_reset(struct device *d, uint32_t table);
int device_table_watch(struct device *d, uint32_t table, uint32_t entry, uint64_t timeout_us);
int device_table_last_hit(struct device *d, uint32_t table, uint32_t entry, uint64_t *us_ago);
uint32_t device_table_expired(struct device *d, uint32_t table, uint32_t *entries, uint32_t room);
int device_value_set(struct device *d, uint32_t set, const uint64_t *keys, const uint64_t *masks, uint32_t count);

int64_t device_member_add(struct device *d, uint32_t profile, uint32_t action, const uint64_t *data);
int device_member_change(struct device *d, uint32_t profile, uint32_t member, uint32_t action, const uint64_t *data);
int device_member_remove(struct device *d, uint32_t profile, uint32_t member);
int64_t device_group_add(struct device *d, uint32_t profile);
int device_group_set(struct device *d, uint32_t profile, uint32_t group, const uint32_t *members, const uint32_t *weights,
                     const uint32_t *watch, uint32_t count);
int device_group_remove(struct device *d, uint32_t profile, uint32_t group);

int device_counter(struct device *d, uint32_t counter, uint32_t index, uint64_t *value);
int device_counter_set(struct device *d, uint32_t counter, uint32_t index, const uint64_t *value);
int device_direct_counter(struct device *d, uint32_t table, uint32_t entry, uint64_t *value);
int device_direct_counter_set(struct device *d, uint32_t table, uint32_t entry, const uint64_t *value);
int device_meter_set(struct device *d, uint32_t meter, uint32_t index, const struct rates *rates);
int device_direct_meter_set(struct device *d, uint32_t table, uint32_t entry, const struct rates *rates);
/* Packets and bytes that were marked green, yellow and red: read into `values`, or set to them. */
int device_meter_marked(struct device *d, uint32_t meter, uint32_t index, int set, uint64_t *values);
int device_direct_meter_marked(struct device *d, uint32_t table, uint32_t entry, int set, uint64_t *values);
int device_register(struct device *d, uint32_t reg, uint32_t index, uint8_t *value);
int device_register_set(struct device *d, uint32_t reg, uint32_t index, const uint8_t *value);
int device_replicas(struct device *d, int multicast, uint32_t id, const uint32_t *ports, const uint32_t *instances,
                    uint32_t count, uint32_t truncate);

void device_table_counts(struct device *d, uint32_t table, struct table_counts *counts);
int64_t device_inject(struct device *d, uint32_t port, const uint8_t *data, uint32_t length, uint8_t *out, uint64_t room);
/* One packet's way on the state as it is, without effect; records of `enum trace_kind`. Only of a tracing program. */
int64_t device_explain(struct device *d, uint32_t port, const uint8_t *data, uint32_t length, uint8_t *out, uint64_t room);
int device_packet_out(struct device *d, const uint8_t *data, uint32_t length);
double device_bench(struct device *d, uint32_t port, const uint8_t *data, uint32_t length, uint32_t stride, uint32_t count,
                    uint32_t rounds);
int64_t device_events(struct device *d, uint8_t *out, uint64_t room, int timeout_ms);
void device_wake(struct device *d);
void device_ended(struct device *d, uint64_t *reasons);

int device_port_add(struct device *d, uint32_t port, const char *interface, const char *pcap_in, const char *pcap_out);
/* A port without an interface; what it sends goes to `file` (pcap), or without one to whoever calls device_frames(). */
int device_port_add_rim(struct device *d, uint32_t port, const char *file, const char *pcap_in, const char *pcap_out);
/* Run a packet that such a port received. */
int device_port_receive(struct device *d, uint32_t port, const uint8_t *data, uint32_t length);
int device_port_set_up(struct device *d, uint32_t port, int up);
/* One packet of this length, taken from device_frames(), got lost after all. */
int device_port_undelivered(struct device *d, uint32_t port, uint32_t length);
int64_t device_frames(struct device *d, uint8_t *out, uint64_t room, int timeout_ms);
void device_frames_wake(struct device *d);
/* Write out all captures and files. */
int device_ports_flush(struct device *d);
int device_port_remove(struct device *d, uint32_t port);
int device_port_stats(struct device *d, uint32_t port, struct port_stats *stats);
/* Stop a device and go on in its place with all its ports, what waits in them and what was counted; the taker has none yet.
 * When this fails, the ports are the other's again, which may have to be started: −ENOEXEC when its runtime was built otherwise. */
int device_take_ports(struct device *d, struct device *from);
int device_start(struct device *d);
int device_stop(struct device *d);
