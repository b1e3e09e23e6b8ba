/* The library WDT_DIO of Neousys computers, emulated: ports 0 to 3, all on one bus, "can".
 *
 * Callbacks come from a thread of the library; the memory of a message is overwritten and freed afterwards. Hooks:
 * "pairs" (two messages in one call if two are queued), "ports" (how many exist, 4). An injected record of KIND_ERROR
 * or KIND_STATE is a status word; KIND_OVERRUN marks the next message.
 */
#include "stub.h"

enum { PORTS = 4, DEPTH = 65536 };
enum { EXTENDED = 0x0004, REMOTE = 0x0040, NEW = 0x0080, LOST = 0x0100 };
enum { USE_ID = 0x08, USE_DIR = 0x18, USE_EXT = 0x28 };

#pragma pack(push, 1)
typedef struct { uint32_t bitRate, recvConfig, recvId, recvMask; } CAN_SETUP;
typedef struct {
    uint32_t id;
    uint16_t flags;
    uint8_t extra, len, data[8];
} CAN_MSG;
typedef struct { uint16_t syncPropPhase1Seg, phase2Seg, jumpWidth, quantumPrescaler; } CAN_BITCLK;
#pragma pack(pop)
_Static_assert(sizeof(CAN_SETUP) == 16 && sizeof(CAN_MSG) == 16 && sizeof(CAN_BITCLK) == 8, "");
_Static_assert(offsetof(CAN_MSG, flags) == 4 && offsetof(CAN_MSG, len) == 7 && offsetof(CAN_MSG, data) == 8, "");

typedef void (*Received)(CAN_MSG *, uint32_t);
typedef void (*Reported)(uint32_t);

static struct Own {
    Received received;
    Reported reported;
    CAN_SETUP setup;
    int is_set_up, is_started, port, is_unplugged, stop;
    pthread_t thread;
} own[PORTS];

static int fails(const char *function) {
    int64_t status;
    return told_to_fail(function, &status);
}

static struct Own *of(const char *function, uint32_t number) {
    if (number < PORTS && number < (uint32_t)hook("ports", PORTS)) return &own[number];
    if (number >= PORTS) called("%s: no port %u", function, number);
    return NULL;
}

/* --- receiving ------------------------------------------------------------------------------------------- */

static int passes(const struct Own *o, const Record *record) {
    int is_extended = !!(record->flags & FLAG_EXTENDED);
    if ((o->setup.recvConfig & USE_EXT) == USE_EXT)
        return is_extended && !((record->id ^ o->setup.recvId) & o->setup.recvMask);
    uint32_t id = is_extended ? record->id >> 18 : record->id;
    return !((id ^ o->setup.recvId) & o->setup.recvMask);
}

static CAN_MSG message_of(const Record *record, int is_lost) {
    CAN_MSG message;
    memset(&message, 0xA5, sizeof message);
    message.id = record->id;
    message.flags = (uint16_t)(NEW | (record->flags & FLAG_EXTENDED ? EXTENDED : 0) |
                               (record->flags & FLAG_REMOTE ? REMOTE : 0) | (is_lost ? LOST : 0));
    message.len = record->length;
    if (!(record->flags & FLAG_REMOTE)) memcpy(message.data, record->data, 8);
    return message;
}

static void deliver(struct Own *o, const CAN_MSG *messages, uint32_t count) {
    if (!count || !o->received) return;
    uint32_t size = count * (uint32_t)sizeof *messages;
    CAN_MSG *copy = malloc(size); /* just as large: reading more is an error that a sanitizer finds */
    memcpy(copy, messages, size);
    o->received(copy, size);
    memset(copy, 0xEE, size);
    free(copy);
}

static void *run(void *argument) {
    struct Own *o = argument;
    int is_lost = 0;
    while (!__atomic_load_n(&o->stop, __ATOMIC_ACQUIRE)) {
        if (!port_wait(o->port, 10)) continue;
        CAN_MSG messages[2];
        uint32_t count = 0, most = hook("pairs", 0) ? 2 : 1;
        Record record;
        while (count < most && port_take(o->port, &record)) {
            if (__atomic_exchange_n(&ports[o->port].overrun, 0, __ATOMIC_ACQ_REL) || record.kind == KIND_OVERRUN) is_lost = 1;
            if (record.kind == KIND_ERROR || record.kind == KIND_STATE) {
                deliver(o, messages, count);
                count = 0;
                /* a bus error of the kit has no code: the bit rates differ */
                uint32_t status = record.kind == KIND_ERROR && !record.code ? 2 : record.code;
                if (o->reported) o->reported(status);
            } else if (record.kind == KIND_FRAME && passes(o, &record)) {
                messages[count++] = message_of(&record, is_lost);
                is_lost = 0;
            }
        }
        deliver(o, messages, count);
    }
    return NULL;
}

/* --- the functions --------------------------------------------------------------------------------------- */

EXPORT int32_t CAN_RegisterReceived(uint32_t number, Received callback) {
    called("CAN_RegisterReceived %u %s", number, callback ? "callback" : "NULL");
    struct Own *o = of("CAN_RegisterReceived", number);
    if (fails("CAN_RegisterReceived") || !o) return 0;
    if (o->is_started) violation("CAN_RegisterReceived: port %u is running", number);
    opened(!!callback - !!o->received);
    o->received = callback;
    return 1;
}

EXPORT int32_t CAN_RegisterStatus(uint32_t number, Reported callback) {
    called("CAN_RegisterStatus %u %s", number, callback ? "callback" : "NULL");
    struct Own *o = of("CAN_RegisterStatus", number);
    if (fails("CAN_RegisterStatus") || !o) return 0;
    if (o->is_started) violation("CAN_RegisterStatus: port %u is running", number);
    opened(!!callback - !!o->reported);
    o->reported = callback;
    return 1;
}

EXPORT int32_t CAN_Setup(uint32_t number, const CAN_SETUP *setup, uint32_t size) {
    called("CAN_Setup %u %u config %x id %x mask %x size %u", number, setup->bitRate, setup->recvConfig, setup->recvId,
           setup->recvMask, size);
    struct Own *o = of("CAN_Setup", number);
    if (fails("CAN_Setup") || !o || size != sizeof *setup) return 0;
    if (!o->received || !o->reported) violation("CAN_Setup: port %u has no callbacks", number);
    if (o->is_started) {
        violation("CAN_Setup: port %u is running", number);
        return 0;
    }
    if (setup->recvConfig != USE_ID && setup->recvConfig != USE_DIR && setup->recvConfig != USE_EXT)
        violation("CAN_Setup: configuration %x", setup->recvConfig);
    if (!setup->bitRate || setup->bitRate > 1000000) return 0;
    o->setup = *setup;
    o->is_set_up = 1;
    return 1;
}

EXPORT int32_t CAN_Start(uint32_t number) {
    called("CAN_Start %u", number);
    struct Own *o = of("CAN_Start", number);
    if (fails("CAN_Start") || !o || !o->is_set_up || o->is_unplugged) return 0;
    if (o->is_started) {
        violation("CAN_Start: port %u is running", number);
        return 0;
    }
    o->port = port_open("can", DEPTH, o->setup.bitRate, 0);
    o->stop = 0;
    o->is_started = 1;
    opened(1);
    pthread_create(&o->thread, NULL, run, o);
    return 1;
}

static void halt(struct Own *o) {
    __atomic_store_n(&o->stop, 1, __ATOMIC_RELEASE);
    pthread_join(o->thread, NULL); /* no callback comes after this */
    port_close(o->port);
    o->is_started = 0;
    opened(-1);
}

EXPORT int32_t CAN_Stop(uint32_t number) {
    called("CAN_Stop %u", number);
    struct Own *o = of("CAN_Stop", number);
    if (!o) return 0;
    if (!o->is_started) {
        violation("CAN_Stop: port %u is not running", number);
        return 0;
    }
    halt(o);
    return !fails("CAN_Stop"); /* a failure that is reported after the fact */
}

EXPORT int32_t CAN_Send(uint32_t number, const CAN_MSG *message, uint32_t size) {
    called("CAN_Send %u id %x flags %x len %u size %u", number, message->id, message->flags, message->len, size);
    struct Own *o = of("CAN_Send", number);
    if (fails("CAN_Send") || !o || size != sizeof *message) return 0;
    if (!o->is_started) {
        violation("CAN_Send: port %u is not running", number);
        return 0;
    }
    if (message->flags & ~(EXTENDED | REMOTE)) violation("CAN_Send: flags %x", message->flags);
    if (message->id > (message->flags & EXTENDED ? 0x1FFFFFFFu : 0x7FFu)) violation("CAN_Send: identifier %x", message->id);
    if (message->extra || message->len > 8) violation("CAN_Send: extra %u, length %u", message->extra, message->len);
    if (message->len > 8 || o->is_unplugged) return 0;
    Record record = {.magic = MAGIC, .kind = KIND_FRAME, .length = message->len, .id = message->id};
    if (message->flags & EXTENDED) record.flags |= FLAG_EXTENDED;
    if (message->flags & REMOTE) record.flags |= FLAG_REMOTE;
    else memcpy(record.data, message->data, 8);
    port_send(o->port, record);
    return 1;
}

/* --- the kit --------------------------------------------------------------------------------------------- */

static void library_reset(void) {
    for (int i = 0; i < PORTS; i++) {
        if (own[i].is_started) halt(&own[i]);
        memset(&own[i], 0, sizeof own[i]);
    }
}

static int64_t library_layout(const char *structure, const char *field) {
    LAYOUT(CAN_SETUP) FIELD(CAN_SETUP, bitRate) FIELD(CAN_SETUP, recvConfig) FIELD(CAN_SETUP, recvId) FIELD(CAN_SETUP, recvMask)
    LAYOUT(CAN_MSG) FIELD(CAN_MSG, id) FIELD(CAN_MSG, flags) FIELD(CAN_MSG, extra) FIELD(CAN_MSG, len) FIELD(CAN_MSG, data)
    LAYOUT(CAN_BITCLK) FIELD(CAN_BITCLK, syncPropPhase1Seg) FIELD(CAN_BITCLK, phase2Seg)
    FIELD(CAN_BITCLK, jumpWidth) FIELD(CAN_BITCLK, quantumPrescaler)
    return -1;
}

static int library_inject(int32_t channel, const Record *record) {
    if (channel < 0 || channel >= PORTS || !own[channel].is_started) return -1;
    port_put(&ports[own[channel].port], record);
    return 0;
}

static void library_unplug(int32_t device) {
    for (int i = 0; i < PORTS; i++)
        if (device < 0 || device == i) own[i].is_unplugged = 1;
}
