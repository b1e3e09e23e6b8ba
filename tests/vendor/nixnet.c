/* An emulated NI-XNET library: interfaces CAN1, CAN2 ... on one bus, each with stream sessions.
 *
 * Written from the tables of the NI-XNET hardware and software manual. Hooks: "devices" (number of interfaces, 2),
 * "busy" (another program uses them), "hold" (nothing acknowledges: frames wait in the output queue), "room" (frames
 * in the output queue, 64). A record of KIND_STATE sets the communication word to its code, one of KIND_ERROR is a
 * bus error with its data as payload, one of KIND_OVERRUN loses frames.
 */
#include "stub.h"

#define ERROR_BASE 0xBFF63000u
#define WARNING_BASE 0x3FF63000u
enum {
    OUTPUT_OVERFLOW = 0x008, TIMED_OUT = 0x00A, INPUT_OVERFLOW = 0x00B, DUPLICATE_STREAM = 0x00E,
    INVALID_SESSION = 0x020, INVALID_SYSTEM = 0x021, INVALID_RATE = 0x072, NO_RATE = 0x073, INVALID_TIMING = 0x074,
    NO_DATABASE = 0x081, INVALID_INTERFACE = 0x08A, INVALID_PROPERTY = 0x08D, INVALID_SIZE = 0x08E,
    INCORRECT_MODE = 0x08F, BUFFER_TOO_SMALL = 0x090, INVALID_MODE = 0x098, DIFFERENT_CLUSTER = 0x09A,
    INTERFACE_RUNNING = 0x09E, TOO_LARGE = 0x09F, UNKNOWN_CONDITION = 0x0A2, NOT_STARTED = 0x0A3,
    COMMUNICATION_LOST = 0x0B2, INVALID_VALUE = 0x0C0, OBJECT_STARTED = 0x11E, READ_ONLY = 0x141,
    UNDEFINED_ID = 0x176, WRONG_IO_MODE = 0x228, IN_USE = 0x236,
};
#define FD_RATE_WARNING (WARNING_BASE | 0x040)

static const struct { uint32_t number; const char *text; } texts[] = {
    {OUTPUT_OVERFLOW, "The output queue has no room."}, {TIMED_OUT, "The timeout expired before the operation."},
    {INPUT_OVERFLOW, "The input queue overflowed: frames were lost."},
    {DUPLICATE_STREAM, "A stream session exists already."}, {INVALID_SESSION, "The session is invalid."},
    {INVALID_RATE, "The baud rate is not possible."}, {NO_RATE, "The baud rate is not configured."},
    {INVALID_TIMING, "The bit timings are invalid."}, {NO_DATABASE, "The database cannot be opened."},
    {INVALID_INTERFACE, "The interface does not exist."}, {INVALID_PROPERTY, "The property does not exist."},
    {INVALID_SIZE, "The size of the property is wrong."}, {INTERFACE_RUNNING, "The interface is running."},
    {TOO_LARGE, "The frame is too large for the session."}, {NOT_STARTED, "The session is not started."},
    {COMMUNICATION_LOST, "The connection to the device is lost."}, {WRONG_IO_MODE, "The frame does not fit the I/O mode."},
    {IN_USE, "Another program uses the interface."},
};

enum { CLASS_SESSION = 0x00100000, CLASS_SYSTEM = 0x00110000, CLASS_INTERFACE = 0x00130000, CLASS_MASK = 0x00FF0000 };
enum { TYPE_U32 = 0, TYPE_BOOL = 0x02, TYPE_STRING = 0x03, TYPE_REFS = 0x06, TYPE_TIME = 0x07, TYPE_U64 = 0x09 };
enum {
    AUTO_START = 0x02100001, PENDING = 0x00100006, UNUSED = 0x0010000B, QUEUE_SIZE = 0x0010000C, ECHO_TX = 0x02100010,
    BUS_ERRORS = 0x02100015, RATE64 = 0x09100016, RATE32 = 0x00100016, LISTEN_ONLY = 0x02100022,
    SINGLE_SHOT = 0x02100024, TERMINATION = 0x00100025, IO_MODE = 0x00100026, FD_RATE64 = 0x09100027,
    TX_IO_MODE = 0x00100039, ISO_MODE = 0x0010003E,
    CAN_INTERFACES = 0x06110004, NAME = 0x03130002, NUMBER = 0x00130003, PORT_NUMBER = 0x00130004,
    PROTOCOL = 0x00130005, TRANSCEIVER = 0x00130007, CAN_TERMINATE = 0x00130008,
    CURRENT_TIME = 0x07130001, COMMUNICATION = 0x00130010,
};
enum { MODE_IN_STREAM = 6, MODE_OUT_STREAM = 9 };
enum { TYPE_DATA = 0x00, TYPE_REMOTE = 0x01, TYPE_ERROR = 0x02, TYPE_CAN20 = 0x08, TYPE_FD = 0x10, TYPE_BRS = 0x18 };
#define EXTENDED_ID 0x20000000u
#define TRANSMIT_ECHO 0x80
#define FILETIME_1970 116444736000000000

#pragma pack(push, 1)
typedef struct {
    uint64_t Timestamp;
    uint32_t Identifier;
    uint8_t Type, Flags, Info, PayloadLength;
    uint8_t Payload[8];
} nxFrameVar_t;
#pragma pack(pop)
_Static_assert(sizeof(nxFrameVar_t) == 24, "the base unit");
_Static_assert(offsetof(nxFrameVar_t, Type) == 12 && offsetof(nxFrameVar_t, Payload) == 16, "the base unit");

#define MAX_INTERFACES 8
#define MAX_SESSIONS 16
#define MAX_PENDING 64
#define SESSION_REF 0x80000001u /* with bit 31 set: signed or 16-bit prototypes fail */
#define INTERFACE_REF 0x90000001u
#define SYSTEM_REF 0xC0000001u

typedef struct {
    int sessions, running, port, io_mode, unplugged;
    uint64_t rate, fd_rate;
    uint32_t termination, iso_mode, tx_io_mode, word;
    uint8_t echo, bus_errors, listen_only, single_shot;
    uint32_t queue_bytes, pending;
    Record waiting[MAX_PENDING];
} Interface;
typedef struct {
    int used, interface, is_out, started, was_started, inside;
    uint8_t auto_start;
    uint32_t queue_bytes;
} Session;

static Interface interfaces[MAX_INTERFACES];
static Session sessions[MAX_SESSIONS];
static int systems;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static uint32_t fault(uint32_t number) { return ERROR_BASE | number; }
static int64_t device_count(void) { return hook("devices", 2); }

#define ORDERED(function) \
    do { \
        int64_t status; \
        if (told_to_fail(function, &status)) return (uint32_t)status; \
    } while (0)

/* Return the session, or NULL after noting the wrong reference. */
static Session *session_of(const char *function, uint32_t ref) {
    uint32_t index = ref - SESSION_REF;
    if (index < MAX_SESSIONS && sessions[index].used) return &sessions[index];
    violation("%s: no session %#x", function, ref);
    return NULL;
}

/* --- bit rates ---------------------------------------------------------------------------------------------- */

static const uint32_t classic_rates[] = {33333,  40000,  50000,  62500,  80000,  83333,  100000, 125000,
                                         160000, 200000, 250000, 400000, 500000, 800000, 1000000};

static uint32_t rate_of(uint64_t value) { /* in bit/s */
    if ((value & 0xF0000000u) != 0xA0000000u) return (uint32_t)value;
    uint64_t quanta = 1 + ((value >> 8 & 0xFF) + 1) + ((value & 0xFF) + 1);
    return (uint32_t)(1000000000u / ((value >> 32) * quanta));
}
static uint32_t fd_rate_of(uint64_t value) {
    if ((value & 0xF0000000u) != 0xA0000000u) return (uint32_t)value;
    uint64_t quanta = 1 + ((value >> 8 & 0x1F) + 1) + ((value >> 4 & 0xF) + 1);
    return (uint32_t)(1000000000u / ((value >> 13 & 0x7FFF) * quanta));
}
static uint32_t checked_rate(uint64_t value) {
    if ((value & 0xF0000000u) == 0xA0000000u) {
        uint64_t quantum = value >> 32;
        return quantum && quantum % 25 == 0 && quantum < 65536 && rate_of(value) <= 1000000 ? 0 : fault(INVALID_TIMING);
    }
    for (size_t i = 0; i < sizeof classic_rates / 4; i++)
        if (classic_rates[i] == value) return 0;
    return fault(INVALID_RATE);
}
static uint32_t checked_fd_rate(uint64_t value) {
    if ((value & 0xF0000000u) == 0xA0000000u) {
        uint64_t quantum = value >> 13 & 0x7FFF;
        return !(value >> 32) && quantum && quantum % 25 == 0 ? 0 : fault(INVALID_TIMING);
    }
    if (value < 200000 || value > 8000000) return fault(INVALID_RATE);
    return value > 5000000 ? FD_RATE_WARNING : 0;
}

/* --- starting and stopping ---------------------------------------------------------------------------------- */

static uint32_t start(Session *session) {
    Interface *interface = &interfaces[session->interface];
    if (interface->unplugged) return fault(COMMUNICATION_LOST);
    if (!interface->rate) return fault(NO_RATE);
    if (interface->io_mode && !interface->fd_rate) return fault(NO_RATE);
    if (session->started) return 0;
    if (!interface->running) {
        interface->port = port_open("nixnet", interface->queue_bytes / 24, rate_of(interface->rate),
                                    interface->io_mode == 2 ? fd_rate_of(interface->fd_rate) : 0);
        interface->word = 0;
    }
    interface->running++;
    session->started = session->was_started = 1;
    return 0;
}

static void stop(Session *session) {
    Interface *interface = &interfaces[session->interface];
    if (!session->started) return;
    session->started = 0;
    if (!--interface->running) port_close(interface->port);
}

static void transmit(Interface *interface, Record record) {
    port_send(interface->port, record);
    if (interface->echo) {
        record.flags |= FLAG_ECHO;
        record.time_ns = now_ns();
        record.kind = KIND_FRAME;
        port_put(&ports[interface->port], &record);
    }
}

/* Send the frames that waited for an acknowledgement. */
static void release_pending(Interface *interface) {
    if (hook("hold", 0) || !interface->running) return;
    for (uint32_t i = 0; i < interface->pending; i++) transmit(interface, interface->waiting[i]);
    interface->pending = 0;
}

EXPORT uint32_t nxCreateSession(const char *database, const char *cluster, const char *list, const char *name,
                                uint32_t mode, uint32_t *ref) {
    called("nxCreateSession %s %s %s %s %u", database, cluster, list, name, mode);
    ORDERED("nxCreateSession");
    if (!ref || *cluster || *list) violation("nxCreateSession: cluster and list are empty for a stream");
    int64_t number = strncmp(name, "CAN", 3) ? 0 : strtol(name + 3, NULL, 10);
    if (number < 1 || number > device_count() || number > MAX_INTERFACES) return fault(INVALID_INTERFACE);
    if (hook("busy", 0)) return fault(IN_USE);
    if (mode != MODE_IN_STREAM && mode != MODE_OUT_STREAM) return fault(INVALID_MODE);
    int io_mode = !strcmp(database, ":memory:") ? 0 : !strcmp(database, ":can_fd:") ? 1 : !strcmp(database, ":can_fd_brs:") ? 2 : -1;
    if (io_mode < 0) return fault(NO_DATABASE);
    pthread_mutex_lock(&lock);
    Interface *interface = &interfaces[number - 1];
    uint32_t status = 0;
    if (interface->unplugged) status = fault(COMMUNICATION_LOST);
    else if (interface->sessions && interface->io_mode != io_mode) status = fault(DIFFERENT_CLUSTER);
    int free = -1;
    for (int i = 0; i < MAX_SESSIONS; i++) {
        if (!sessions[i].used) free = i;
        else if (sessions[i].interface == number - 1 && sessions[i].is_out == (mode == MODE_OUT_STREAM)) status = fault(DUPLICATE_STREAM);
    }
    if (!status) {
        if (!interface->sessions++) {
            memset(interface, 0, sizeof *interface);
            interface->sessions = 1;
            interface->queue_bytes = 1536;
        }
        interface->io_mode = io_mode;
        sessions[free] = (Session){.used = 1, .interface = (int)number - 1, .is_out = mode == MODE_OUT_STREAM, .auto_start = 1};
        opened(1);
        *ref = SESSION_REF + (uint32_t)free;
    }
    pthread_mutex_unlock(&lock);
    return status;
}

EXPORT uint32_t nxClear(uint32_t ref) {
    called("nxClear %#x", ref);
    ORDERED("nxClear");
    pthread_mutex_lock(&lock);
    Session *session = session_of("nxClear", ref);
    if (session) {
        if (session->inside) violation("nxClear: another thread is inside the session");
        stop(session);
        interfaces[session->interface].sessions--;
        session->used = 0;
        opened(-1);
    }
    pthread_mutex_unlock(&lock);
    return session ? 0 : fault(INVALID_SESSION);
}

EXPORT uint32_t nxStart(uint32_t ref, uint32_t scope) {
    called("nxStart %#x %u", ref, scope);
    ORDERED("nxStart");
    pthread_mutex_lock(&lock);
    Session *session = session_of("nxStart", ref);
    uint32_t status = session ? scope > 3 ? fault(INVALID_VALUE) : start(session) : fault(INVALID_SESSION);
    pthread_mutex_unlock(&lock);
    return status;
}

EXPORT uint32_t nxStop(uint32_t ref, uint32_t scope) {
    called("nxStop %#x %u", ref, scope);
    ORDERED("nxStop");
    pthread_mutex_lock(&lock);
    Session *session = session_of("nxStop", ref);
    uint32_t status = session ? scope > 3 ? fault(INVALID_VALUE) : 0 : fault(INVALID_SESSION);
    if (!status && interfaces[session->interface].unplugged) status = fault(COMMUNICATION_LOST);
    if (session) stop(session);
    pthread_mutex_unlock(&lock);
    return status;
}

EXPORT uint32_t nxFlush(uint32_t ref) {
    called("nxFlush %#x", ref);
    ORDERED("nxFlush");
    pthread_mutex_lock(&lock);
    Session *session = session_of("nxFlush", ref);
    uint32_t status = session ? 0 : fault(INVALID_SESSION);
    if (session) {
        Interface *interface = &interfaces[session->interface];
        if (session->is_out) interface->pending = 0;
        else if (interface->running) port_clear(interface->port);
        if (interface->unplugged) status = fault(COMMUNICATION_LOST);
    }
    pthread_mutex_unlock(&lock);
    return status;
}

/* --- properties --------------------------------------------------------------------------------------------- */

static uint32_t size_of_property(uint32_t id) {
    switch (id >> 24) {
        case TYPE_BOOL: return 1;
        case TYPE_U64: case TYPE_TIME: return 8;
        default: return 4;
    }
}

static uint32_t set_session(Session *session, uint32_t id, const void *value) {
    Interface *interface = &interfaces[session->interface];
    uint64_t wide = 0;
    uint32_t status;
    memcpy(&wide, value, size_of_property(id));
    switch (id) {
        case AUTO_START: session->auto_start = (uint8_t)wide; return 0;
        case QUEUE_SIZE:
            if (session->was_started) return fault(OBJECT_STARTED);
            if (wide < 24) return fault(INVALID_VALUE);
            if (!session->is_out) interface->queue_bytes = (uint32_t)wide;
            session->queue_bytes = (uint32_t)wide;
            return 0;
        case PENDING: case UNUSED: case IO_MODE: return fault(READ_ONLY);
        case ECHO_TX: case BUS_ERRORS: case RATE64: case RATE32: case LISTEN_ONLY: case SINGLE_SHOT: case TERMINATION:
        case FD_RATE64: case TX_IO_MODE: case ISO_MODE: break;
        default: return fault(INVALID_PROPERTY);
    }
    if (interface->running) return fault(INTERFACE_RUNNING);
    switch (id) {
        case ECHO_TX: interface->echo = (uint8_t)wide; break;
        case BUS_ERRORS: interface->bus_errors = (uint8_t)wide; break;
        case LISTEN_ONLY: interface->listen_only = (uint8_t)wide; break;
        case SINGLE_SHOT: interface->single_shot = (uint8_t)wide; break;
        case TERMINATION: if (wide > 1) return fault(INVALID_VALUE); interface->termination = (uint32_t)wide; break;
        case TX_IO_MODE: if (wide > 2) return fault(INVALID_VALUE); interface->tx_io_mode = (uint32_t)wide; break;
        case ISO_MODE: if (wide > 2) return fault(INVALID_VALUE); interface->iso_mode = (uint32_t)wide; break;
        case FD_RATE64:
            status = checked_fd_rate(wide);
            if (!(status & 0x80000000u)) interface->fd_rate = wide;
            return status;
        default:
            status = checked_rate(wide);
            if (!status) interface->rate = wide;
            return status;
    }
    return 0;
}

EXPORT uint32_t nxSetProperty(uint32_t ref, uint32_t id, uint32_t size, const void *value) {
    uint64_t shown = 0;
    if (value) memcpy(&shown, value, size < 8 ? size : 8);
    called("nxSetProperty %#x %#010x %u %#llx", ref, id, size, (unsigned long long)shown);
    ORDERED("nxSetProperty");
    pthread_mutex_lock(&lock);
    Session *session = session_of("nxSetProperty", ref);
    uint32_t status = fault(INVALID_SESSION);
    if (session) {
        if ((id & CLASS_MASK) != CLASS_SESSION) status = fault(INVALID_PROPERTY);
        else if (size != size_of_property(id)) status = fault(INVALID_SIZE);
        else status = set_session(session, id, value);
        if (status == fault(INVALID_PROPERTY) || status == fault(INVALID_SIZE)) violation("nxSetProperty: id %#x, size %u", id, size);
    }
    pthread_mutex_unlock(&lock);
    return status;
}

static uint32_t get_session(Session *session, uint32_t id, uint64_t *value) {
    Interface *interface = &interfaces[session->interface];
    switch (id) {
        case AUTO_START: *value = session->auto_start; return 0;
        case PENDING: *value = session->is_out ? interface->pending : interface->running ? port_count(interface->port) : 0; return 0;
        case UNUSED: *value = (uint64_t)hook("room", MAX_PENDING) - interface->pending; return 0;
        case QUEUE_SIZE: *value = interface->queue_bytes; return 0;
        case ECHO_TX: *value = interface->echo; return 0;
        case BUS_ERRORS: *value = interface->bus_errors; return 0;
        case RATE64: *value = interface->rate; return 0;
        case LISTEN_ONLY: *value = interface->listen_only; return 0;
        case SINGLE_SHOT: *value = interface->single_shot; return 0;
        case TERMINATION: *value = interface->termination; return 0;
        case IO_MODE: *value = (uint64_t)interface->io_mode; return 0;
        case FD_RATE64: *value = interface->fd_rate; return 0;
        case TX_IO_MODE: *value = interface->tx_io_mode; return 0;
        case ISO_MODE: *value = interface->iso_mode; return 0;
    }
    return fault(INVALID_PROPERTY);
}

/* Copy a property of the system or of an interface; return its size, 0 for none. */
static uint32_t other_property(uint32_t ref, uint32_t id, uint8_t *value, uint32_t room) {
    uint32_t small[MAX_INTERFACES] = {0}, count = (uint32_t)device_count(), number = ref - INTERFACE_REF;
    char name[16];
    const void *source = small;
    uint32_t size = 4;
    if (ref == SYSTEM_REF && systems && id == CAN_INTERFACES) {
        for (uint32_t i = 0; i < count; i++) small[i] = INTERFACE_REF + i;
        size = 4 * count;
    } else if (number < count && id == NAME) {
        snprintf(name, sizeof name, "CAN%u", number + 1);
        source = name;
        size = (uint32_t)strlen(name) + 1;
    } else if (number < count) {
        switch (id) {
            case NUMBER: small[0] = number; break;
            case PORT_NUMBER: small[0] = number + 1; break;
            case PROTOCOL: small[0] = 0; break;
            case TRANSCEIVER: small[0] = number % 2 ? 1 : 0; break; /* HS, LS */
            case CAN_TERMINATE: small[0] = number % 2 ? 0 : 1; break;
            default: return 0;
        }
    } else {
        return 0;
    }
    if (value && room >= size) memcpy(value, source, size);
    return size;
}

EXPORT uint32_t nxGetPropertySize(uint32_t ref, uint32_t id, uint32_t *size) {
    called("nxGetPropertySize %#x %#010x", ref, id);
    ORDERED("nxGetPropertySize");
    pthread_mutex_lock(&lock);
    *size = (id & CLASS_MASK) == CLASS_SESSION ? size_of_property(id) : other_property(ref, id, NULL, 0);
    pthread_mutex_unlock(&lock);
    return *size ? 0 : fault(INVALID_PROPERTY);
}

EXPORT uint32_t nxGetProperty(uint32_t ref, uint32_t id, uint32_t size, void *value) {
    called("nxGetProperty %#x %#010x %u", ref, id, size);
    ORDERED("nxGetProperty");
    pthread_mutex_lock(&lock);
    uint32_t status = 0;
    if ((id & CLASS_MASK) == CLASS_SESSION) {
        uint64_t found = 0;
        Session *session = session_of("nxGetProperty", ref);
        status = !session ? fault(INVALID_SESSION) : size != size_of_property(id) ? fault(INVALID_SIZE) : get_session(session, id, &found);
        if (!status) memcpy(value, &found, size);
    } else {
        uint32_t needed = other_property(ref, id, value, size);
        status = !needed ? fault(INVALID_PROPERTY) : size < needed ? fault(BUFFER_TOO_SMALL) : 0;
    }
    pthread_mutex_unlock(&lock);
    return status;
}

/* --- reading ------------------------------------------------------------------------------------------------ */

static uint32_t size_of_frame(uint32_t length) { return length <= 8 ? 24 : 16 + ((length + 7) & ~7u); }
static uint32_t size_of_record(const Record *record) {
    return record->kind == KIND_FRAME && !(record->flags & FLAG_REMOTE) ? size_of_frame(record->length) : 24;
}

/* Drop what the session does not get, and return the size of the next record, 0 for none. */
static uint32_t next_size(Interface *interface) {
    Port *port = &ports[interface->port];
    for (;;) {
        Record record;
        pthread_mutex_lock(&port->lock);
        int found = port->count > 0;
        if (found) record = port->ring[port->head];
        pthread_mutex_unlock(&port->lock);
        if (!found) return 0;
        int is_kept = record.kind == KIND_FRAME || (record.kind == KIND_ERROR && interface->bus_errors);
        if (record.flags & FLAG_FD && !interface->io_mode) is_kept = 0;
        if (is_kept) return size_of_record(&record);
        port_take(interface->port, &record);
    }
}

static uint32_t queued_bytes(Interface *interface) {
    uint32_t bytes = 0;
    next_size(interface);
    Port *port = &ports[interface->port];
    pthread_mutex_lock(&port->lock);
    for (uint32_t i = 0; i < port->count; i++) bytes += size_of_record(&port->ring[(port->head + i) % port->depth]);
    pthread_mutex_unlock(&port->lock);
    return bytes;
}

static void raw_frame(const Interface *interface, const Record *record, uint8_t *place) {
    nxFrameVar_t frame;
    uint32_t size = size_of_record(record);
    memset(place, 0xA5, size); /* the padding has any content */
    memset(frame.Payload, 0xA5, 8);
    frame.Timestamp = (uint64_t)(record->time_ns / 100 + FILETIME_1970);
    frame.Info = 0;
    frame.PayloadLength = record->length;
    frame.Flags = record->flags & FLAG_ECHO ? TRANSMIT_ECHO : 0;
    frame.Identifier = record->id | (record->flags & FLAG_EXTENDED ? EXTENDED_ID : 0);
    if (record->kind == KIND_ERROR) {
        static const uint8_t stuff[5] = {0, 0, 1, 1, 0};
        frame.Type = TYPE_ERROR;
        frame.Identifier = 0;
        frame.PayloadLength = 5;
        memcpy(frame.Payload, record->length ? record->data : stuff, 5);
    } else {
        frame.Type = record->flags & FLAG_REMOTE ? TYPE_REMOTE : record->flags & FLAG_BRS ? TYPE_BRS
                     : record->flags & FLAG_FD ? TYPE_FD : interface->io_mode ? TYPE_CAN20 : TYPE_DATA;
        if (!(record->flags & FLAG_REMOTE)) memcpy(frame.Payload, record->data, record->length < 8 ? record->length : 8);
    }
    memcpy(place, &frame, sizeof frame);
    if (size > 24) memcpy(place + 24, record->data + 8, record->length - 8u);
}

static uint32_t read_now(Interface *interface, uint8_t *buffer, uint32_t size, uint32_t *returned) {
    Record record;
    uint32_t next;
    while ((next = next_size(interface)) && *returned + next <= size) {
        port_take(interface->port, &record);
        raw_frame(interface, &record, buffer + *returned);
        *returned += next;
    }
    return 0;
}

static uint32_t read_frames(Session *session, uint8_t *buffer, uint32_t size, double timeout, uint32_t *returned) {
    Interface *interface = &interfaces[session->interface];
    uint32_t status = session->started ? 0 : start(session);
    if (status) return status;
    Port *port = &ports[interface->port];
    int64_t end = now_ns() + (int64_t)(timeout * 1e9);
    while (timeout && queued_bytes(interface) < size && !port->overrun) {
        int64_t left = timeout < 0 ? 1000000000 : end - now_ns();
        if (interface->unplugged) break;
        if (left <= 0) return fault(TIMED_OUT);
        pthread_mutex_unlock(&lock);
        struct timespec pause = {0, left < 200000 ? left : 200000};
        if (left > 1000000 && !port_count(interface->port)) port_wait(interface->port, left < 10000000 ? left / 1000000 : 10);
        else nanosleep(&pause, NULL);
        pthread_mutex_lock(&lock);
        release_pending(interface);
    }
    if (port->overrun) {
        port->overrun = 0;
        return fault(INPUT_OVERFLOW);
    }
    if (interface->unplugged && !queued_bytes(interface)) return fault(COMMUNICATION_LOST);
    return read_now(interface, buffer, size, returned);
}

EXPORT uint32_t nxReadFrame(uint32_t ref, void *buffer, uint32_t size, double timeout, uint32_t *returned) {
    called("nxReadFrame %#x %u %.3f", ref, size, timeout);
    ORDERED("nxReadFrame");
    pthread_mutex_lock(&lock);
    Session *session = session_of("nxReadFrame", ref);
    uint32_t status = fault(INVALID_SESSION);
    *returned = 0;
    if (session && session->is_out) violation("nxReadFrame: of an output session"), status = fault(INCORRECT_MODE);
    else if (session) {
        session->inside++;
        release_pending(&interfaces[session->interface]);
        status = read_frames(session, buffer, size, timeout, returned);
        session->inside--;
    }
    pthread_mutex_unlock(&lock);
    return status;
}

/* --- writing ------------------------------------------------------------------------------------------------ */

/* Check the frame at `place` and make a record of it; return the bytes it takes, 0 with *status for a wrong one. */
static uint32_t parsed(const Interface *interface, const uint8_t *place, uint32_t left, Record *record, uint32_t *status) {
    nxFrameVar_t frame;
    *status = fault(TOO_LARGE);
    if (left < sizeof frame) return violation("nxWriteFrame: %u bytes are no frame", left), 0;
    memcpy(&frame, place, sizeof frame);
    uint32_t size = frame.Type == TYPE_REMOTE ? 24 : size_of_frame(frame.PayloadLength);
    if (size > left) return violation("nxWriteFrame: a frame of %u bytes in %u", size, left), 0;
    if (frame.PayloadLength > (frame.Type == TYPE_FD || frame.Type == TYPE_BRS ? 64 : 8)) return 0;
    *status = fault(WRONG_IO_MODE);
    if (frame.Info) violation("nxWriteFrame: info %#x", frame.Info);
    memset(record, 0, sizeof *record);
    record->kind = KIND_FRAME;
    record->length = frame.PayloadLength;
    record->flags = frame.Identifier & EXTENDED_ID ? FLAG_EXTENDED : 0;
    record->id = frame.Identifier & 0x1FFFFFFF;
    switch (frame.Type) {
        case TYPE_DATA: /* an interface with CAN FD uses its own kind of frame */
            record->flags |= interface->io_mode == 2 ? FLAG_FD | FLAG_BRS : interface->io_mode ? FLAG_FD : 0;
            break;
        case TYPE_REMOTE: record->flags |= FLAG_REMOTE; break;
        case TYPE_CAN20: if (!interface->io_mode) return 0; break;
        case TYPE_FD: if (!interface->io_mode) return 0; record->flags |= FLAG_FD; break;
        case TYPE_BRS: if (interface->io_mode != 2) return 0; record->flags |= FLAG_FD | FLAG_BRS; break;
        default: violation("nxWriteFrame: type %#x", frame.Type); return 0;
    }
    if (!(record->flags & FLAG_EXTENDED) && record->id > 0x7FF) {
        violation("nxWriteFrame: identifier %#x", frame.Identifier);
        *status = fault(UNDEFINED_ID);
        return 0;
    }
    if (record->flags & FLAG_REMOTE) return size;
    memcpy(record->data, frame.Payload, record->length < 8 ? record->length : 8);
    if (size > 24) memcpy(record->data + 8, place + 24, record->length - 8u);
    return size;
}

static uint32_t write_frames(Session *session, const uint8_t *buffer, uint32_t size, double timeout) {
    Interface *interface = &interfaces[session->interface];
    Record records[MAX_PENDING];
    uint32_t count = 0, status = 0;
    if (interface->unplugged) return fault(COMMUNICATION_LOST);
    if (!session->started) status = session->auto_start ? start(session) : fault(NOT_STARTED);
    if (status) return status;
    if (interface->listen_only) return violation("nxWriteFrame: the interface only listens"), fault(INCORRECT_MODE);
    for (uint32_t place = 0, taken; place < size; place += taken) {
        if (count == MAX_PENDING) return fault(OUTPUT_OVERFLOW);
        taken = parsed(interface, buffer + place, size - place, &records[count++], &status);
        if (!taken) return status;
    }
    release_pending(interface);
    int64_t end = now_ns() + (int64_t)(timeout * 1e9);
    while (interface->pending + count > (uint32_t)hook("room", MAX_PENDING)) { /* none of the frames is queued then */
        if (timeout >= 0 && now_ns() >= end) return fault(TIMED_OUT);
        pthread_mutex_unlock(&lock);
        struct timespec pause = {0, 1000000};
        nanosleep(&pause, NULL);
        pthread_mutex_lock(&lock);
        release_pending(interface);
    }
    for (uint32_t i = 0; i < count; i++) {
        if (hook("hold", 0)) interface->waiting[interface->pending++] = records[i];
        else transmit(interface, records[i]);
    }
    return 0;
}

EXPORT uint32_t nxWriteFrame(uint32_t ref, const void *buffer, uint32_t size, double timeout) {
    called("nxWriteFrame %#x %u %.3f", ref, size, timeout);
    ORDERED("nxWriteFrame");
    pthread_mutex_lock(&lock);
    Session *session = session_of("nxWriteFrame", ref);
    uint32_t status = fault(INVALID_SESSION);
    if (session && !session->is_out) violation("nxWriteFrame: of an input session"), status = fault(INCORRECT_MODE);
    else if (session) {
        session->inside++;
        status = write_frames(session, buffer, size, timeout);
        session->inside--;
    }
    pthread_mutex_unlock(&lock);
    return status;
}

/* --- the rest ----------------------------------------------------------------------------------------------- */

EXPORT uint32_t nxReadState(uint32_t ref, uint32_t id, uint32_t size, void *value, int32_t *state_fault) {
    called("nxReadState %#x %#010x %u", ref, id, size);
    ORDERED("nxReadState");
    pthread_mutex_lock(&lock);
    Session *session = session_of("nxReadState", ref);
    uint32_t status = session ? 0 : fault(INVALID_SESSION);
    if (session) {
        *state_fault = 0;
        uint64_t ticks = (uint64_t)(now_ns() / 100 + FILETIME_1970);
        if (id == COMMUNICATION && size == 4) memcpy(value, &interfaces[session->interface].word, 4);
        else if (id == CURRENT_TIME && size == 8) memcpy(value, &ticks, 8);
        else violation("nxReadState: id %#x, size %u", id, size), status = fault(INVALID_SIZE);
        if (interfaces[session->interface].unplugged) status = fault(COMMUNICATION_LOST);
    }
    pthread_mutex_unlock(&lock);
    return status;
}

EXPORT uint32_t nxWait(uint32_t ref, uint32_t condition, uint32_t parameter, double timeout, uint32_t *out) {
    called("nxWait %#x %#x %u %.3f", ref, condition, parameter, timeout);
    ORDERED("nxWait");
    if (condition != 0x8001 && condition != 0x8002) return fault(UNKNOWN_CONDITION);
    int64_t end = now_ns() + (int64_t)(timeout * 1e9);
    uint32_t status = 0;
    pthread_mutex_lock(&lock);
    Session *session = session_of("nxWait", ref);
    if (!session) status = fault(INVALID_SESSION);
    else session->inside++;
    while (session) {
        Interface *interface = &interfaces[session->interface];
        release_pending(interface);
        *out = 0;
        if (interface->unplugged) status = fault(COMMUNICATION_LOST);
        else if (condition == 0x8001 ? interface->pending : !interface->running) status = timeout >= 0 && now_ns() >= end ? fault(TIMED_OUT) : 1;
        else status = 0;
        if (status != 1) break;
        pthread_mutex_unlock(&lock);
        struct timespec pause = {0, 1000000};
        nanosleep(&pause, NULL);
        pthread_mutex_lock(&lock);
    }
    if (session) session->inside--;
    pthread_mutex_unlock(&lock);
    return status;
}

EXPORT void nxStatusToString(uint32_t status, uint32_t size, char *text) {
    called("nxStatusToString %#x %u", status, size);
    const char *found = status == FD_RATE_WARNING ? "The CAN FD rate exceeds the rating of the transceiver." : "Unknown status.";
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (fault(texts[i].number) == status) found = texts[i].text;
    snprintf(text, size, "NI-XNET:  (Hex 0x%08X) %s", status, found);
}

EXPORT uint32_t nxSystemOpen(uint32_t *ref) {
    called("nxSystemOpen");
    ORDERED("nxSystemOpen");
    pthread_mutex_lock(&lock);
    systems++;
    pthread_mutex_unlock(&lock);
    opened(1);
    *ref = SYSTEM_REF;
    return 0;
}

EXPORT uint32_t nxSystemClose(uint32_t ref) {
    called("nxSystemClose %#x", ref);
    ORDERED("nxSystemClose");
    pthread_mutex_lock(&lock);
    int is_open = ref == SYSTEM_REF && systems;
    if (is_open) systems--;
    pthread_mutex_unlock(&lock);
    if (!is_open) return violation("nxSystemClose: no system %#x", ref), fault(INVALID_SYSTEM);
    opened(-1);
    return 0;
}

/* --- for the kit -------------------------------------------------------------------------------------------- */

static void library_reset(void) {
    pthread_mutex_lock(&lock);
    for (int i = 0; i < MAX_SESSIONS; i++)
        if (sessions[i].used) stop(&sessions[i]);
    memset(sessions, 0, sizeof sessions);
    memset(interfaces, 0, sizeof interfaces);
    systems = 0;
    pthread_mutex_unlock(&lock);
}

static int64_t library_layout(const char *structure, const char *field) {
    LAYOUT(nxFrameVar_t)
    FIELD(nxFrameVar_t, Timestamp)
    FIELD(nxFrameVar_t, Identifier)
    FIELD(nxFrameVar_t, Type)
    FIELD(nxFrameVar_t, Flags)
    FIELD(nxFrameVar_t, Info)
    FIELD(nxFrameVar_t, PayloadLength)
    FIELD(nxFrameVar_t, Payload)
    return -1;
}

static int library_inject(int32_t channel, const Record *record) {
    if (channel < 1 || channel > MAX_INTERFACES || !interfaces[channel - 1].running) return -1;
    Interface *interface = &interfaces[channel - 1];
    Record arrived = *record;
    if (!arrived.time_ns) arrived.time_ns = now_ns();
    if (record->kind == KIND_STATE) interface->word = record->code;
    else if (record->kind == KIND_OVERRUN) ports[interface->port].overrun = 1;
    else port_put(&ports[interface->port], &arrived);
    return 0;
}

static void library_unplug(int32_t device) {
    for (int i = 0; i < MAX_INTERFACES; i++)
        if (device < 0 || device == i + 1) interfaces[i].unplugged = 1;
}
