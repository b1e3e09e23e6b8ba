/* The kit of the emulated vendor libraries: wires, logs, orders to fail, and what was left open.
 *
 * A library is one C file that includes this one and is written from the tables of the vendor's interface. It
 * must answer wrong use as the vendor's library does, and note it with `violation` as well.
 *
 * A wire connects ports: of one process, of several, of one library and of several. It is a folder, named by
 * CANX_STUB_WIRES, with a UNIX datagram socket per port: <bus>-<process>-<library>-<number>. A port that sends writes a
 * record to every other socket of its bus. A thread per port moves records into a ring of fixed depth, and
 * keeps an eventfd ready to read while the ring is not empty.
 */
#ifndef CANX_STUB_H
#define CANX_STUB_H
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

/* --- frames on a wire ------------------------------------------------------------------------------------ */

enum { KIND_FRAME = 1, KIND_ERROR = 2, KIND_STATE = 3, KIND_OVERRUN = 4 };
enum { FLAG_EXTENDED = 1, FLAG_REMOTE = 2, FLAG_FD = 4, FLAG_BRS = 8, FLAG_ESI = 16, FLAG_ECHO = 32 };

typedef struct {
    uint32_t magic;
    uint8_t kind;   /* one of KIND_ */
    uint8_t flags;  /* of FLAG_ */
    uint8_t length; /* bytes of data; of a remote frame the requested ones */
    uint8_t sender; /* number of the port, for libraries that care */
    uint32_t id;
    uint32_t code; /* of an error or a state: the library decides */
    uint64_t serial;
    int64_t time_ns; /* since the epoch; 0: now */
    uint32_t bitrate, data_bitrate;
    uint8_t data[64];
} Record;
_Static_assert(sizeof(Record) == 104, "the record of a wire");
#define MAGIC 0x464B4358u

#define MAX_PORTS 64
#define MAX_DEPTH 65536

typedef struct {
    int used, started, socket, ready, stop; /* ready: an eventfd, readable while the ring is not empty */
    int number;
    char bus[32], path[108];
    uint32_t bitrate, data_bitrate; /* a record with others arrives as KIND_ERROR with code 0; 0: not compared */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t arrived;
    Record *ring;
    uint32_t depth, head, count;
    uint64_t lost; /* records that found the ring full */
    int overrun;   /* set when one was lost; the library reads and clears it */
} Port;

static Port ports[MAX_PORTS];
static pthread_mutex_t kit_lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t kit_serial;
static int64_t kit_shift_ns; /* of the vendor's clock, see stub_advance_clock */

static int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec + kit_shift_ns;
}

static const char *kit_folder(void) {
    const char *folder = getenv("CANX_STUB_WIRES");
    return folder ? folder : "/tmp";
}

/* Put a record into the ring of a port, as if it had arrived. */
static void port_put(Port *port, const Record *record) {
    pthread_mutex_lock(&port->lock);
    if (port->count == port->depth) {
        port->lost++;
        port->overrun = 1;
    } else {
        port->ring[(port->head + port->count++) % port->depth] = *record;
        if (port->count == 1) (void)!write(port->ready, &(uint64_t){1}, 8);
    }
    pthread_cond_broadcast(&port->arrived);
    pthread_mutex_unlock(&port->lock);
}

static void *port_listen(void *argument) {
    Port *port = argument;
    struct pollfd end = {.fd = port->socket, .events = POLLIN};
    while (!__atomic_load_n(&port->stop, __ATOMIC_ACQUIRE)) {
        Record record;
        if (poll(&end, 1, 20) < 1) continue;
        if (recv(port->socket, &record, sizeof record, MSG_DONTWAIT) != sizeof record || record.magic != MAGIC) continue;
        if (record.kind == KIND_FRAME && port->bitrate && record.bitrate &&
            (port->bitrate != record.bitrate ||
             (record.flags & FLAG_BRS && port->data_bitrate && port->data_bitrate != record.data_bitrate))) {
            record.kind = KIND_ERROR; /* the bit rates differ: nobody can read the frame */
            record.code = 0;
        }
        port_put(port, &record);
    }
    return NULL;
}

/* Connect a port to the bus with this name; return its number, -1 if there is none left. */
static int port_open(const char *bus, uint32_t depth, uint32_t bitrate, uint32_t data_bitrate) {
    pthread_mutex_lock(&kit_lock);
    int number = 0;
    while (number < MAX_PORTS && ports[number].used) number++;
    if (number == MAX_PORTS) {
        pthread_mutex_unlock(&kit_lock);
        return -1;
    }
    Port *port = &ports[number];
    memset(port, 0, sizeof *port);
    port->used = 1;
    pthread_mutex_unlock(&kit_lock);
    port->number = number;
    port->depth = depth && depth <= MAX_DEPTH ? depth : MAX_DEPTH;
    port->ring = calloc(port->depth, sizeof(Record));
    port->bitrate = bitrate;
    port->data_bitrate = data_bitrate;
    pthread_mutex_init(&port->lock, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&port->arrived, &monotonic);
    snprintf(port->bus, sizeof port->bus, "%s", bus);
    port->ready = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    port->socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    static uint32_t opened;
    snprintf(port->path, sizeof port->path, "%.60s/%.20s-%d-%lx-%u", kit_folder(), bus, (int)getpid(),
             (unsigned long)(uintptr_t)&opened & 0xFFFFFFFFF, __atomic_add_fetch(&opened, 1, __ATOMIC_RELAXED));
    memcpy(address.sun_path, port->path, sizeof address.sun_path);
    unlink(port->path);
    if (bind(port->socket, (struct sockaddr *)&address, sizeof address)) perror("stub: bind");
    pthread_create(&port->thread, NULL, port_listen, port);
    return number;
}

static void port_close(int number) {
    Port *port = &ports[number];
    __atomic_store_n(&port->stop, 1, __ATOMIC_RELEASE);
    pthread_join(port->thread, NULL);
    unlink(port->path);
    close(port->socket);
    close(port->ready);
    free(port->ring);
    pthread_mutex_destroy(&port->lock);
    pthread_cond_destroy(&port->arrived);
    pthread_mutex_lock(&kit_lock);
    port->used = 0;
    pthread_mutex_unlock(&kit_lock);
}

/* Take the oldest record; return whether there was one. */
static int port_take(int number, Record *record) {
    Port *port = &ports[number];
    pthread_mutex_lock(&port->lock);
    int found = port->count > 0;
    if (found) {
        *record = port->ring[port->head];
        port->head = (port->head + 1) % port->depth;
        if (!--port->count) (void)!read(port->ready, &(uint64_t){0}, 8);
    }
    pthread_mutex_unlock(&port->lock);
    return found;
}

static inline uint32_t port_count(int number) { return __atomic_load_n(&ports[number].count, __ATOMIC_ACQUIRE); }

static void port_clear(int number) {
    Record record;
    while (port_take(number, &record)) continue;
}

/* Wait until a record is queued, at most `milliseconds`, negative for ever; return whether one is. */
static int port_wait(int number, int64_t milliseconds) {
    Port *port = &ports[number];
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += milliseconds / 1000;
    end.tv_nsec += milliseconds % 1000 * 1000000;
    if (end.tv_nsec >= 1000000000) end.tv_sec++, end.tv_nsec -= 1000000000;
    pthread_mutex_lock(&port->lock);
    while (!port->count && !port->stop) {
        if (milliseconds < 0) pthread_cond_wait(&port->arrived, &port->lock);
        else if (pthread_cond_timedwait(&port->arrived, &port->lock, &end)) break;
    }
    int found = port->count > 0;
    pthread_mutex_unlock(&port->lock);
    return found;
}

/* --- what was sent --------------------------------------------------------------------------------------- */

#define MAX_SENT 65536
static Record *sent_records;
static uint32_t sent_count;

/* Send a record to every other port of the bus, and to the frames that `stub_sent` shows. A receiver that is
 * full holds the sender up: a wire of this kit loses nothing, rings do. */
static void port_send(int number, Record record) {
    Port *port = &ports[number];
    record.magic = MAGIC;
    record.sender = (uint8_t)number;
    record.serial = __atomic_add_fetch(&kit_serial, 1, __ATOMIC_RELAXED);
    if (!record.time_ns) record.time_ns = now_ns();
    record.bitrate = port->bitrate;
    record.data_bitrate = port->data_bitrate;
    pthread_mutex_lock(&kit_lock);
    if (!sent_records) sent_records = calloc(MAX_SENT, sizeof(Record));
    sent_records[sent_count++ % MAX_SENT] = record;
    pthread_mutex_unlock(&kit_lock);
    DIR *folder = opendir(kit_folder());
    if (!folder) return;
    const char *own = strrchr(port->path, '/') + 1;
    size_t size = strlen(port->bus);
    for (struct dirent *entry; (entry = readdir(folder));) {
        if (strncmp(entry->d_name, port->bus, size) || entry->d_name[size] != '-' || !strcmp(entry->d_name, own)) continue;
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        snprintf(address.sun_path, sizeof address.sun_path, "%.60s/%.46s", kit_folder(), entry->d_name);
        if (sendto(port->socket, &record, sizeof record, 0, (struct sockaddr *)&address, sizeof address) < 0 && errno == ECONNREFUSED)
            unlink(address.sun_path); /* of a process that is gone */
    }
    closedir(folder);
}

/* --- orders to fail, logs, what was left open ------------------------------------------------------------ */

#define MAX_TEXT 65536
static char kit_log[MAX_TEXT], kit_violations[MAX_TEXT];
static uint32_t kit_log_size, kit_violations_size;
static int64_t kit_open; /* handles, ports and drivers that are open */
static int kit_keeps_log = 1;

static void kit_note(char *text, uint32_t *size, const char *format, va_list values) {
    pthread_mutex_lock(&kit_lock);
    int more = vsnprintf(text + *size, MAX_TEXT - *size, format, values);
    if (more > 0 && *size + (uint32_t)more + 1 < MAX_TEXT) {
        *size += (uint32_t)more;
        text[(*size)++] = '\n';
        text[*size] = 0;
    }
    pthread_mutex_unlock(&kit_lock);
}

/* Note a call with its arguments: called("CAN_Write ch=%x", channel). */
static inline __attribute__((format(printf, 1, 2))) void called(const char *format, ...) {
    if (!kit_keeps_log) return;
    va_list values;
    va_start(values, format);
    kit_note(kit_log, &kit_log_size, format, values);
    va_end(values);
}

/* Note that the caller broke a rule. */
static inline __attribute__((format(printf, 1, 2))) void violation(const char *format, ...) {
    va_list values;
    va_start(values, format);
    kit_note(kit_violations, &kit_violations_size, format, values);
    va_end(values);
}

static inline void opened(int64_t handles) { __atomic_add_fetch(&kit_open, handles, __ATOMIC_RELAXED); }

#define MAX_ORDERS 32
static struct {
    char function[64];
    int64_t status;
    uint32_t skip, count;
} kit_orders[MAX_ORDERS];
static int kit_has_orders;

/* Return whether this call was told to fail, with *status: each function asks first. */
static inline int told_to_fail(const char *function, int64_t *status) {
    if (!__atomic_load_n(&kit_has_orders, __ATOMIC_ACQUIRE)) return 0;
    int found = 0;
    pthread_mutex_lock(&kit_lock);
    for (int i = 0; i < MAX_ORDERS && !found; i++) {
        if (!kit_orders[i].count || strcmp(kit_orders[i].function, function)) continue;
        if (kit_orders[i].skip) {
            kit_orders[i].skip--;
            break;
        }
        kit_orders[i].count--;
        *status = kit_orders[i].status;
        found = 1;
    }
    pthread_mutex_unlock(&kit_lock);
    return found;
}

/* Values that tests set by name, and libraries read: hook("devices", 2) is 2 unless a test says otherwise. */
#define MAX_HOOKS 64
static struct {
    char key[40];
    int64_t value;
} kit_hooks[MAX_HOOKS];
static int kit_has_hooks;

static inline int64_t hook(const char *key, int64_t otherwise) {
    if (!__atomic_load_n(&kit_has_hooks, __ATOMIC_ACQUIRE)) return otherwise;
    int64_t value = otherwise;
    pthread_mutex_lock(&kit_lock);
    for (int i = 0; i < MAX_HOOKS; i++)
        if (!strcmp(kit_hooks[i].key, key)) value = kit_hooks[i].value;
    pthread_mutex_unlock(&kit_lock);
    return value;
}

/* --- for tests: the exports of every library --------------------------------------------------------------- */

/* The library's own part of a reset: close what is open, forget settings. Called without locks. */
static void library_reset(void);
/* Return the size of a structure (empty field) or the offset of a field, -1 if unknown. */
static int64_t library_layout(const char *structure, const char *field);
/* Hand a record to the library's channel as if it came from the bus; return 0, or -1 for no such channel. */
static int library_inject(int32_t channel, const Record *record);
/* Unplug a device, -1 for all: calls then fail as the vendor's do. */
static void library_unplug(int32_t device);

EXPORT uint32_t stub_version(void) { return 1; }
EXPORT void stub_clear_log(void) {
    pthread_mutex_lock(&kit_lock);
    kit_log_size = 0;
    kit_log[0] = 0;
    pthread_mutex_unlock(&kit_lock);
}
EXPORT void stub_reset(void) {
    library_reset();
    stub_clear_log();
    pthread_mutex_lock(&kit_lock);
    kit_violations_size = sent_count = 0;
    kit_violations[0] = 0;
    kit_open = 0;
    kit_shift_ns = 0;
    kit_keeps_log = 1;
    kit_has_orders = kit_has_hooks = 0;
    kit_keeps_log = 1;
    memset(kit_orders, 0, sizeof kit_orders);
    memset(kit_hooks, 0, sizeof kit_hooks);
    free(sent_records);
    sent_records = NULL;
    pthread_mutex_unlock(&kit_lock);
}
EXPORT void stub_set(const char *key, int64_t value) {
    if (!strcmp(key, "log")) { /* benchmarks switch it off */
        kit_keeps_log = (int)value;
        return;
    }
    pthread_mutex_lock(&kit_lock);
    for (int i = 0; i < MAX_HOOKS; i++)
        if (!kit_hooks[i].key[0] || !strcmp(kit_hooks[i].key, key)) {
            snprintf(kit_hooks[i].key, sizeof kit_hooks[i].key, "%s", key);
            kit_hooks[i].value = value;
            break;
        }
    kit_has_hooks = 1;
    pthread_mutex_unlock(&kit_lock);
}
/* Let `count` calls of a function return `status` without doing anything, after `skip` that work. */
EXPORT void stub_fail(const char *function, int64_t status, uint32_t skip, uint32_t count) {
    pthread_mutex_lock(&kit_lock);
    for (int i = 0; i < MAX_ORDERS; i++)
        if (!kit_orders[i].count) {
            snprintf(kit_orders[i].function, sizeof kit_orders[i].function, "%s", function);
            kit_orders[i].status = status;
            kit_orders[i].skip = skip;
            kit_orders[i].count = count;
            break;
        }
    kit_has_orders = 1;
    pthread_mutex_unlock(&kit_lock);
}
EXPORT int stub_inject(int32_t channel, const Record *record) { return library_inject(channel, record); }
EXPORT uint32_t stub_sent_count(void) { return sent_count; }
EXPORT int stub_sent(uint32_t index, Record *record) {
    pthread_mutex_lock(&kit_lock);
    int found = index < sent_count && sent_count - index <= MAX_SENT;
    if (found) *record = sent_records[index % MAX_SENT];
    pthread_mutex_unlock(&kit_lock);
    return found ? 0 : -1;
}
static uint32_t kit_copy(char *buffer, uint32_t size, const char *text) {
    pthread_mutex_lock(&kit_lock);
    snprintf(buffer, size, "%s", text);
    uint32_t length = (uint32_t)strlen(text);
    pthread_mutex_unlock(&kit_lock);
    return length;
}
EXPORT uint32_t stub_log(char *buffer, uint32_t size) { return kit_copy(buffer, size, kit_log); }
EXPORT uint32_t stub_violations(char *buffer, uint32_t size) { return kit_copy(buffer, size, kit_violations); }
EXPORT int64_t stub_leaks(void) { return __atomic_load_n(&kit_open, __ATOMIC_RELAXED); }
EXPORT void stub_advance_clock(int64_t nanoseconds) { kit_shift_ns += nanoseconds; }
EXPORT int64_t stub_layout(const char *structure, const char *field) { return library_layout(structure, field); }
EXPORT void stub_unplug(int32_t device) { library_unplug(device); }

/* One line per structure and field: LAYOUT(TPCANMsg) FIELD(TPCANMsg, ID) ... inside library_layout. */
#define LAYOUT(type) \
    if (!strcmp(structure, #type) && !*field) return (int64_t)sizeof(type);
#define FIELD(type, name) \
    if (!strcmp(structure, #type) && !strcmp(field, #name)) return (int64_t)offsetof(type, name);

/* Not every library uses every function of the kit. */
__attribute__((unused)) static void *const kit_used[] = {
    (void *)port_open, (void *)port_close, (void *)port_take,  (void *)port_clear, (void *)port_wait,
    (void *)port_send, (void *)port_count, (void *)told_to_fail, (void *)hook,     (void *)opened,
    (void *)called,    (void *)violation,  (void *)port_put,
};
#endif
