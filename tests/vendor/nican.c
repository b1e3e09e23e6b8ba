/* NI-CAN of National Instruments, emulated.
 *
 * Compiled with MINIMAL=1 it has only the functions that every version has. Hooks: cards and ports (of each
 * card; interfaces are numbered from 0), tx_full (the write queue stays full), padded (1: frames to send have
 * 16 bytes, 2: 14 or 16), long_text (texts fill their buffer), warning (status of a write that works),
 * keeps_running (a reset does not stop the interface), no_format (the format of times is not
 * known), no_text (there are no texts).
 *
 * Injected records of kind 2 are communication errors, whose code is the status; of kind 3 bus errors, whose
 * code is state, TX counter, RX counter and last error from the lowest byte on; of kind 4 an overflow; of
 * kind 10 + n frames of type n.
 */
#include "stub.h"

#pragma pack(push, 2)
typedef struct {
    uint64_t timestamp;
    uint32_t arbitration_id;
    uint8_t frame_type, data_length, data[8];
} ReadFrame;
typedef struct {
    uint32_t arbitration_id;
    uint8_t is_remote, data_length, data[8];
} WriteFrame;
#pragma pack(pop)
_Static_assert(sizeof(ReadFrame) == 22 && offsetof(ReadFrame, data) == 14, "the frame as read");
_Static_assert(sizeof(WriteFrame) == 14 && offsetof(WriteFrame, data) == 6, "the frame to write");

static int64_t library_layout(const char *structure, const char *field) {
    LAYOUT(ReadFrame) FIELD(ReadFrame, timestamp) FIELD(ReadFrame, arbitration_id) FIELD(ReadFrame, frame_type)
    FIELD(ReadFrame, data_length) FIELD(ReadFrame, data)
    LAYOUT(WriteFrame) FIELD(WriteFrame, arbitration_id) FIELD(WriteFrame, is_remote) FIELD(WriteFrame, data_length)
    FIELD(WriteFrame, data)
    return -1;
}

#define ERROR(n) ((int32_t)(0xBFF62000u + (n)))
#define TIMEOUT ERROR(0x001)
#define BAD_NAME ERROR(0x003)
#define BAD_PARAMETER ERROR(0x004)
#define BAD_VALUE ERROR(0x005)
#define ALREADY_OPEN ERROR(0x006)
#define NOT_STOPPED ERROR(0x007)
#define FULL ERROR(0x008)
#define BAD_HANDLE ERROR(0x024)
#define BAD_SIZE ERROR(0x105)
#define WAITED_FOR ERROR(0x111)
#define NOT_STARTED ERROR(0x112)
#define GONE ERROR(0x121)
#define LISTENS_ONLY ERROR(0x122)
#define BAD_RATE ERROR(0x124)
#define TOO_MANY ERROR(0x136)
#define EXTENDED 0x20000000u
#define INFINITE 0xFFFFFFFFu
#define BUS_NAME "nican"

enum { START_ON_OPEN = 6, BAUD_RATE = 7, ABSOLUTE_TIME = 8, STATE = 9, PENDING_READ = 0x11, PENDING_WRITE = 0x12, READ_QUEUE = 0x13, WRITE_QUEUE = 0x14 };

#define MAX_INTERFACES 16
#define FIRST_HANDLE 0x80000001u

typedef struct {
    int configured, is_open, runs, port, waits, has_staged;
    ReadFrame staged; /* the next frame that passes */
    uint32_t starts, rate, read_queue, standard, standard_mask, extended, extended_mask;
    uint32_t logs_errors, listens_only, self_reception, tx_errors, rx_errors;
    pthread_mutex_t lock;
} Interface;
static Interface interfaces[MAX_INTERFACES];
static int is_unplugged;

#define ORDERS(function) \
    do { \
        int64_t status_; \
        if (told_to_fail(function, &status_)) return (int32_t)status_; \
    } while (0)
#define UNLESS(condition, status, ...) \
    do { \
        if (!(condition)) { \
            violation(__VA_ARGS__); \
            return status; \
        } \
    } while (0)

static Interface *named(const char *name) {
    char *end;
    if (strncmp(name, "CAN", 3) || !name[3]) return NULL;
    long number = strtol(name + 3, &end, 10);
    long count = hook("cards", 1) * hook("ports", 2);
    return *end || number < 0 || number >= count || number >= MAX_INTERFACES ? NULL : &interfaces[number];
}

static Interface *open_one(const char *function, uint32_t handle) {
    uint32_t number = handle - FIRST_HANDLE;
    if (number < MAX_INTERFACES && interfaces[number].is_open) return &interfaces[number];
    violation("%s: handle %#x is not open", function, handle);
    return NULL;
}

/* --- opening --------------------------------------------------------------------------------------------- */

static int32_t set_attribute(Interface *i, uint32_t id, uint32_t value) {
    int is_flag = value <= 1;
    switch (id) {
    case 0x80000006: i->starts = value; return is_flag ? 0 : BAD_VALUE;
    case 0x80000007:
        i->rate = value & 0x80000000u ? 0 : value;
        return value & 0x80000000u ? (value & 0x7FFF0000u ? BAD_RATE : 0) : value >= 5000 && value <= 1000000 ? 0 : BAD_RATE;
    case 0x80000013: i->read_queue = value; return 0;
    case 0x80000014: return 0;
    case 0x80010001: i->standard = value; return value <= 0x7FF ? 0 : BAD_VALUE;
    case 0x80010002: i->standard_mask = value; return value <= 0x7FF ? 0 : BAD_VALUE;
    case 0x80010003: i->extended = value; return value <= 0x3FFFFFFF ? 0 : BAD_VALUE;
    case 0x80010004: i->extended_mask = value; return value <= 0x1FFFFFFF ? 0 : BAD_VALUE;
    case 0x8001000A: i->logs_errors = value; return is_flag ? 0 : BAD_VALUE;
    case 0x80010010: i->listens_only = value; return is_flag ? 0 : BAD_VALUE;
    case 0x80010016: i->self_reception = value; return is_flag ? 0 : BAD_VALUE;
    case 0x80020032:
        if (hook("no_format", 0)) return BAD_VALUE; /* an older driver does not know this attribute */
        return is_flag ? 0 : BAD_VALUE;
    case 0x80010017: case 0x80020037: return is_flag ? 0 : BAD_VALUE;
    default: violation("attribute %#x", id); return BAD_VALUE;
    }
}

EXPORT int32_t ncConfig(const char *name, uint32_t count, const uint32_t *ids, const uint32_t *values) {
    UNLESS(name && count && ids && values, BAD_PARAMETER, "ncConfig: NULL");
    called("ncConfig %s", name);
    for (uint32_t n = 0; n < count; n++) called("  %x=%x", ids[n], values[n]);
    ORDERS("ncConfig");
    if (is_unplugged) return GONE;
    Interface *i = named(name);
    if (!i) return BAD_NAME;
    if (i->is_open) return ALREADY_OPEN;
    memset(i, 0, sizeof *i);
    for (uint32_t n = 0; n < count; n++) {
        int32_t status = set_attribute(i, ids[n], values[n]);
        if (status) return status;
    }
    UNLESS(!i->extended_mask || i->extended & EXTENDED, BAD_VALUE, "ncConfig: extended comparator %#x", i->extended);
    i->configured = 1;
    return 0;
}

EXPORT int32_t ncOpenObject(const char *name, uint32_t *handle) {
    UNLESS(name && handle, BAD_PARAMETER, "ncOpenObject: NULL");
    called("ncOpenObject %s", name);
    ORDERS("ncOpenObject");
    if (is_unplugged) return GONE;
    Interface *i = named(name);
    if (!i) return BAD_NAME;
    if (i->is_open) return ALREADY_OPEN;
    UNLESS(i->configured, BAD_VALUE, "ncOpenObject: %s is not configured", name);
    i->port = port_open(BUS_NAME, i->read_queue ? i->read_queue : 4096, i->rate, 0);
    if (i->port < 0) return ERROR(0x002);
    pthread_mutex_init(&i->lock, NULL);
    i->is_open = 1;
    i->runs = (int)i->starts;
    i->has_staged = 0;
    *handle = FIRST_HANDLE + (uint32_t)(i - interfaces);
    opened(1);
    return 0;
}

EXPORT int32_t ncCloseObject(uint32_t handle) {
    called("ncCloseObject %x", handle);
    Interface *i = open_one("ncCloseObject", handle);
    if (!i) return BAD_HANDLE;
    if (__atomic_load_n(&i->waits, __ATOMIC_ACQUIRE)) violation("ncCloseObject: a thread waits");
    i->is_open = i->configured = 0;
    port_close(i->port);
    pthread_mutex_destroy(&i->lock);
    opened(-1);
    ORDERS("ncCloseObject");
    return 0;
}

EXPORT int32_t ncAction(uint32_t handle, uint32_t operation, uint32_t parameter) {
    called("ncAction %x %x", operation, parameter);
    ORDERS("ncAction");
    Interface *i = open_one("ncAction", handle);
    if (!i) return BAD_HANDLE;
    if (is_unplugged) return GONE;
    UNLESS(operation >= 0x80000001u && operation <= 0x80000003u && !parameter, BAD_PARAMETER, "ncAction: %#x", operation);
    if (operation == 0x80000001u) i->runs = 1;
    if (operation == 0x80000002u) i->runs = 0;
    if (operation == 0x80000003u) {
        pthread_mutex_lock(&i->lock);
        port_clear(i->port);
        i->has_staged = 0;
        pthread_mutex_unlock(&i->lock);
        i->tx_errors = i->rx_errors = 0;
        i->runs = hook("keeps_running", 0) ? i->runs : 0;
    }
    return 0;
}

/* --- receiving ------------------------------------------------------------------------------------------- */

static int converted(Interface *i, const Record *r, ReadFrame *f) {
    memset(f, 0, sizeof *f);
    f->timestamp = (uint64_t)((r->time_ns ? r->time_ns : now_ns()) / 100 + 116444736000000000);
    f->data_length = r->length;
    memcpy(f->data, r->data, 8);
    if (r->kind == KIND_FRAME) {
        if (r->flags & FLAG_FD || !i->runs) return 0;
        int is_extended = r->flags & FLAG_EXTENDED;
        uint32_t comparator = is_extended ? i->extended & 0x1FFFFFFF : i->standard;
        uint32_t mask = is_extended ? i->extended_mask : i->standard_mask;
        if ((r->id ^ comparator) & mask) return 0;
        f->arbitration_id = r->id | (is_extended ? EXTENDED : 0);
        f->frame_type = r->flags & FLAG_REMOTE ? 1 : 0;
        return 1;
    }
    f->data_length = 0;
    if (r->kind == KIND_ERROR) {
        f->arbitration_id = r->code ? r->code : 0xBFF6202Bu; /* others have another bit rate */
        f->frame_type = 2;
        return (int)i->logs_errors;
    }
    if (r->kind == KIND_STATE) {
        i->tx_errors = r->code >> 8 & 0xFF;
        i->rx_errors = r->code >> 16 & 0xFF;
        if ((r->code & 0xFF) == 2) i->runs = 0;
        f->frame_type = 6;
        f->data_length = 4;
        memcpy(f->data, &r->code, 4);
        return 1;
    }
    if (r->kind < 10) return 0;
    f->arbitration_id = 0xCFFFFFFF;
    f->frame_type = (uint8_t)(r->kind - 10);
    return 1;
}

/* Stage the next frame; return whether there is one. The lock of the interface is held. */
static int stage(Interface *i) {
    Record record;
    while (!i->has_staged && port_take(i->port, &record)) {
        if (record.kind == KIND_OVERRUN) {
            ports[i->port].overrun = 1;
            continue;
        }
        i->has_staged = converted(i, &record, &i->staged);
    }
    return i->has_staged;
}

static int is_ready(Interface *i) {
    pthread_mutex_lock(&i->lock);
    int ready = stage(i) || ports[i->port].overrun;
    pthread_mutex_unlock(&i->lock);
    return ready;
}

EXPORT int32_t ncWaitForState(uint32_t handle, uint32_t wanted, uint32_t milliseconds, uint32_t *state) {
    ORDERS("ncWaitForState");
    Interface *i = open_one("ncWaitForState", handle);
    if (!i) return BAD_HANDLE;
    if (milliseconds) called("ncWaitForState %x %x", wanted, milliseconds);
    UNLESS(state && wanted && !(wanted & ~0x3Fu), BAD_PARAMETER, "ncWaitForState: states %#x", wanted);
    if (__atomic_add_fetch(&i->waits, 1, __ATOMIC_ACQ_REL) > 1) {
        __atomic_sub_fetch(&i->waits, 1, __ATOMIC_ACQ_REL);
        violation("ncWaitForState: another thread waits");
        return WAITED_FOR;
    }
    int64_t end = now_ns() + (milliseconds == INFINITE ? INT64_MAX / 4 : (int64_t)milliseconds * 1000000);
    int32_t status = 0;
    while (!is_ready(i)) {
        if (is_unplugged) {
            status = GONE;
            break;
        }
        int64_t left = end - now_ns();
        if (left <= 0) {
            status = TIMEOUT;
            break;
        }
        port_wait(i->port, left > 20000000 ? 20 : left / 1000000 + 1);
    }
    *state = status ? 0 : 1;
    __atomic_sub_fetch(&i->waits, 1, __ATOMIC_ACQ_REL);
    return status;
}

static int32_t read_one(Interface *i, ReadFrame *frame) {
    pthread_mutex_lock(&i->lock);
    int32_t status = ERROR(0x009); /* nothing to read: waiting tells */
    if (ports[i->port].overrun) {
        ports[i->port].overrun = 0;
        status = FULL;
    } else if (stage(i)) {
        *frame = i->staged;
        i->has_staged = 0;
        status = 0;
    }
    pthread_mutex_unlock(&i->lock);
    return status;
}

EXPORT int32_t ncRead(uint32_t handle, uint32_t size, void *data) {
    ORDERS("ncRead");
    Interface *i = open_one("ncRead", handle);
    if (!i) return BAD_HANDLE;
    UNLESS(size == sizeof(ReadFrame) && data, BAD_SIZE, "ncRead: size %u", size);
    int32_t status = read_one(i, data);
    if (status && status != FULL) violation("ncRead: there is no frame");
    return status;
}

static int32_t write_one(Interface *i, const WriteFrame *f) {
    called("ncWrite id=%x remote=%u length=%u", f->arbitration_id, f->is_remote, f->data_length);
    uint32_t id = f->arbitration_id & 0x1FFFFFFF;
    int is_extended = f->arbitration_id & EXTENDED ? 1 : 0;
    UNLESS(!(f->arbitration_id & 0xC0000000u) && (is_extended || id <= 0x7FF), BAD_PARAMETER, "ncWrite: identifier %#x", f->arbitration_id);
    UNLESS(f->is_remote <= 1 && f->data_length <= 8, BAD_PARAMETER, "ncWrite: remote %u, length %u", f->is_remote, f->data_length);
    if (is_unplugged) return GONE;
    if (i->listens_only) return LISTENS_ONLY;
    if (!i->runs) return NOT_STARTED;
    if (hook("tx_full", 0)) return FULL;
    Record record = {.magic = MAGIC, .kind = KIND_FRAME, .length = f->data_length, .id = id, .time_ns = now_ns()};
    record.flags = (is_extended ? FLAG_EXTENDED : 0) | (f->is_remote ? FLAG_REMOTE : 0);
    if (!f->is_remote) memcpy(record.data, f->data, 8);
    port_send(i->port, record);
    if (i->self_reception) port_put(&ports[i->port], &record);
    return (int32_t)hook("warning", 0);
}

EXPORT int32_t ncWrite(uint32_t handle, uint32_t size, const void *data) {
    ORDERS("ncWrite");
    Interface *i = open_one("ncWrite", handle);
    if (!i) return BAD_HANDLE;
    int64_t padded = hook("padded", 0);
    if (size != (padded == 1 ? 16u : 14u) && !(padded == 2 && size == 16)) {
        if (!padded) violation("ncWrite: size %u", size);
        return BAD_SIZE;
    }
    UNLESS(data, BAD_PARAMETER, "ncWrite: NULL");
    return write_one(i, data);
}

/* --- texts, and what not every version has ------------------------------------------------------------------ */

EXPORT void ncStatusToString(int32_t status, uint32_t size, char *text) {
    if (!size || !text) {
        violation("ncStatusToString: no room");
        return;
    }
    char made[64];
    snprintf(made, sizeof made, "NI-CAN: status %08X.\r\nSee the manual.", (uint32_t)status);
    if (hook("no_text", 0)) made[0] = 0;
    if (hook("long_text", 0)) memset(text, 'x', size); /* no zero at the end */
    else snprintf(text, size, "%s", made);
}

#ifndef MINIMAL
EXPORT int32_t ncReadMult(uint32_t handle, uint32_t size, void *data, uint32_t *read) {
    ORDERS("ncReadMult");
    Interface *i = open_one("ncReadMult", handle);
    if (!i) return BAD_HANDLE;
    UNLESS(size && size % sizeof(ReadFrame) == 0 && data && read, BAD_SIZE, "ncReadMult: size %u", size);
    *read = 0;
    int32_t status = 0;
    while (*read < size && !(status = read_one(i, (ReadFrame *)((char *)data + *read)))) *read += sizeof(ReadFrame);
    return status == FULL ? FULL : 0;
}

EXPORT int32_t ncWriteMult(uint32_t handle, uint32_t size, const void *data) {
    ORDERS("ncWriteMult");
    Interface *i = open_one("ncWriteMult", handle);
    if (!i) return BAD_HANDLE;
    UNLESS(size && size % sizeof(WriteFrame) == 0 && data, BAD_SIZE, "ncWriteMult: size %u", size);
    if (size / sizeof(WriteFrame) > 512) return TOO_MANY;
    for (uint32_t at = 0; at < size; at += sizeof(WriteFrame)) {
        int32_t status = write_one(i, (const WriteFrame *)((const char *)data + at));
        if (status < 0) return status;
    }
    return 0;
}

EXPORT int32_t ncGetAttribute(uint32_t handle, uint32_t id, uint32_t size, void *value) {
    ORDERS("ncGetAttribute");
    Interface *i = open_one("ncGetAttribute", handle);
    if (!i) return BAD_HANDLE;
    UNLESS(size == 4 && value, BAD_SIZE, "ncGetAttribute: size %u", size);
    if (is_unplugged) return GONE;
    uint32_t found;
    switch (id) {
    case 0x80000009: found = (is_ready(i) ? 1u : 0u) | (i->runs ? 0u : 4u); break;
    case 0x80000007: found = i->rate; break;
    case 0x80000011: found = port_count(i->port) + (uint32_t)i->has_staged; break;
    case 0x80000012: found = 0; break;
    case 0x80010011: found = i->rx_errors; break;
    case 0x80010012: found = i->tx_errors; break;
    default: violation("ncGetAttribute: %#x", id); return BAD_VALUE;
    }
    memcpy(value, &found, 4);
    return 0;
}

EXPORT int32_t ncSetAttribute(uint32_t handle, uint32_t id, uint32_t size, const void *value) {
    ORDERS("ncSetAttribute");
    Interface *i = open_one("ncSetAttribute", handle);
    if (!i) return BAD_HANDLE;
    UNLESS(size == 4 && value, BAD_SIZE, "ncSetAttribute: size %u", size);
    if (i->runs) return NOT_STOPPED;
    return set_attribute(i, id, *(const uint32_t *)value);
}

EXPORT int32_t ncGetHardwareInfo(uint32_t card, uint32_t port, uint32_t id, uint32_t size, void *value) {
    called("ncGetHardwareInfo %u %u %x", card, port, id);
    ORDERS("ncGetHardwareInfo");
    UNLESS(card && port && size == 4 && value, BAD_PARAMETER, "ncGetHardwareInfo: card %u, port %u, size %u", card, port, size);
    uint32_t cards = (uint32_t)hook("cards", 1), count = (uint32_t)hook("ports", 2), found;
    if (id == 0x80020002) found = cards;
    else if (card > cards || (port > count && id != 0x80020006)) return BAD_PARAMETER;
    else if (id == 0x80020006) found = count;
    else if (id == 0x80020008) found = (card - 1) * count + port - 1;
    else if (id == 0x80020003) found = 0x12345678;
    else return BAD_VALUE;
    memcpy(value, &found, 4);
    return 0;
}

typedef uint32_t (*Notified)(uint32_t handle, uint32_t state, int32_t status, void *reference);
EXPORT int32_t ncCreateNotification(uint32_t handle, uint32_t states, uint32_t milliseconds, void *reference, Notified callback) {
    (void)states, (void)milliseconds, (void)reference;
    ORDERS("ncCreateNotification");
    if (!open_one("ncCreateNotification", handle)) return BAD_HANDLE;
    UNLESS(callback, BAD_PARAMETER, "ncCreateNotification: NULL");
    return ERROR(0x00A);
}

EXPORT int32_t ncReset(const char *name, uint32_t zero) {
    ORDERS("ncReset");
    UNLESS(name && !zero, BAD_PARAMETER, "ncReset: arguments");
    return named(name) ? 0 : BAD_NAME;
}
#endif

/* --- for tests ------------------------------------------------------------------------------------------- */

static void library_reset(void) {
    for (int n = 0; n < MAX_INTERFACES; n++)
        if (interfaces[n].is_open) port_close(interfaces[n].port);
    memset(interfaces, 0, sizeof interfaces);
    is_unplugged = 0;
}

static int library_inject(int32_t channel, const Record *record) {
    if (channel < 0 || channel >= MAX_INTERFACES || !interfaces[channel].is_open) return -1;
    Record copy = *record;
    if (!copy.time_ns) copy.time_ns = now_ns();
    port_put(&ports[interfaces[channel].port], &copy);
    return 0;
}

static void library_unplug(int32_t device) {
    (void)device;
    is_unplugged = 1;
}
