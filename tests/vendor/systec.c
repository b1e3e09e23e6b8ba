/* The USB-CAN library of SYS TEC electronic, emulated.
 *
 * All channels are on one bus, "can". Hooks: "modules" (2) are connected, with the numbers 0, 1, ..., the serial
 * numbers 1000000, 1000001, ... and the product "product" (USB-CANmodul2 G3); "in_use" (the number of the module that
 * another program has, -1); "stalled" (nothing leaves the transmit buffers); "hidden_ms" (frames become visible that
 * long after their event); "clock" (added to the counter), "clock_bits" (32). An injected record of KIND_STATE or
 * KIND_ERROR sets the CAN status: code, data[0] TX errors, data[1] RX errors. The channel for injecting is 2 * module +
 * channel; the device for unplugging is the number of a module.
 *
 * A thread calls the callbacks. Calls of the library from it are violations.
 */
#include "stub.h"

enum { MAX_MODULES = 8, FIRST_HANDLE = 200, QUEUE = 8192 };
enum {
    OK = 0, HWINUSE = 0x03, ILLHW = 0x05, ILLHANDLE = 0x06, ILLPARAM = 0x07, TXFULL = 0x0B, CANNOTINIT = 0x0D,
    DISCONNECTED = 0x0E, ILLCHANNEL = 0x10, NOTINIT = 0x48, ALREADYINIT = 0x49, NODATA = 0x80, RXOVERRUN = 0x82,
    TXLIMIT = 0x91, WARNING = 0x80,
};
enum { STANDARD = 0, ECHO = 0x20, REMOTE = 0x40, EXTENDED = 0x80 };
enum { LISTEN_ONLY = 1, TX_ECHO = 2, HIGH_RES_TIMER = 8 };
enum { EVENT_INITHW = 0, EVENT_INITCAN = 1, EVENT_RECEIVE = 2, EVENT_STATUS = 3, EVENT_DEINITCAN = 4, EVENT_FATALDISCON = 8 };
enum { BUSOFF = 0x10, BUSHEAVY = 0x08 };

#pragma pack(push, 1)
typedef struct {
    uint32_t m_dwID;
    uint8_t m_bFF, m_bDLC, m_bData[8];
    uint32_t m_dwTime;
} CanMsg;
typedef struct {
    uint16_t m_wCanStatus, m_wUsbStatus;
} Status;
typedef struct {
    uint32_t m_dwSize;
    uint8_t m_bMode, m_bBTR0, m_bBTR1, m_bOCR;
    uint32_t m_dwAMR, m_dwACR, m_dwBaudrate;
    uint16_t m_wNrOfRxBufferEntries, m_wNrOfTxBufferEntries;
} InitCanParam;
typedef struct {
    uint32_t m_dwSize;
    uint8_t m_UcanHandle, m_bDeviceNr;
    uint32_t m_dwSerialNr, m_dwFwVersionEx, m_dwProductCode, m_dwUniqueId0, m_dwUniqueId1, m_dwUniqueId2, m_dwUniqueId3;
    uint32_t m_dwFlags;
} HardwareInfoEx;
typedef struct {
    uint32_t m_dwSize;
    uint8_t m_bMode, m_bBTR0, m_bBTR1, m_bOCR;
    uint32_t m_dwAMR, m_dwACR, m_dwBaudrate;
    int32_t m_fCanIsInit;
    uint16_t m_wCanStatus;
} ChannelInfo;
typedef struct {
    uint16_t m_wSentMsgCount, m_wRecvdMsgCount;
} MsgCountInfo;
typedef struct {
    uint32_t m_dwSentMsgCount, m_dwRecvdMsgCount;
} MsgCountInfo2;
typedef struct {
    uint32_t m_dwSize;
    int32_t m_fDoInitialize;
    uint8_t *m_pUcanHandle;
    void *m_fpCallbackFktEx, *m_pCallbackArg;
    int32_t m_fTryNext;
} HardwareInitInfo;
#pragma pack(pop)
_Static_assert(sizeof(CanMsg) == 18 && offsetof(CanMsg, m_bData) == 6 && offsetof(CanMsg, m_dwTime) == 14, "");
_Static_assert(sizeof(Status) == 4 && sizeof(InitCanParam) == 24 && offsetof(InitCanParam, m_dwAMR) == 8, "");
_Static_assert(offsetof(InitCanParam, m_wNrOfRxBufferEntries) == 20 && sizeof(HardwareInfoEx) == 38, "");
_Static_assert(offsetof(HardwareInfoEx, m_dwSerialNr) == 6 && offsetof(HardwareInfoEx, m_dwFlags) == 34, "");
_Static_assert(sizeof(ChannelInfo) == 26 && offsetof(ChannelInfo, m_wCanStatus) == 24, "");
_Static_assert(sizeof(MsgCountInfo) == 4 && sizeof(MsgCountInfo2) == 8, "");
_Static_assert(sizeof(HardwareInitInfo) == 20 + 2 * sizeof(void *) - 8 + sizeof(void *), "");

typedef void (*Callback)(uint8_t handle, uint32_t event, uint8_t channel, void *argument);
typedef void (*ConnectCallback)(uint32_t event, uint32_t parameter, void *argument);
typedef void (*EnumCallback)(uint32_t index, int32_t is_used, HardwareInfoEx *, HardwareInitInfo *, void *argument);

typedef struct {
    int is_open, port, status_event;
    InitCanParam parameters;
    uint32_t amr, acr, tx_timeout, taken, announced, sent, received, tx_errors, rx_errors;
    uint16_t status;
    int64_t hidden_until;
    CanMsg queue[QUEUE];
    uint32_t queued;
} Channel;

typedef struct {
    int is_open, is_unplugged, init_events;
    Callback callback;
    void *argument;
    Channel channels[2];
} Module;

static Module modules[MAX_MODULES];
static ConnectCallback connect_callback;
static void *connect_argument;
static struct {
    uint32_t event, parameter;
} connect_events[16];
static int connect_count, open_modules, is_running, is_calling;
static pthread_t event_thread;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t idle = PTHREAD_COND_INITIALIZER;
static __thread int in_callback;

/* --- callbacks ------------------------------------------------------------------------------------------- */

static void call(uint8_t handle, uint32_t event, uint8_t channel, Module *module) { /* with the lock */
    Callback callback = module->callback;
    void *argument = module->argument;
    is_calling = 1;
    pthread_mutex_unlock(&lock);
    in_callback = 1;
    if (callback) callback(handle, event, channel, argument);
    in_callback = 0;
    pthread_mutex_lock(&lock);
    is_calling = 0;
    pthread_cond_broadcast(&idle);
}

static void call_connect(uint32_t event, uint32_t parameter) { /* with the lock */
    ConnectCallback callback = connect_callback;
    is_calling = 1;
    pthread_mutex_unlock(&lock);
    in_callback = 1;
    if (callback) callback(event, parameter, connect_argument);
    in_callback = 0;
    pthread_mutex_lock(&lock);
    is_calling = 0;
    pthread_cond_broadcast(&idle);
}

static void announce(int number, int index) { /* with the lock */
    Module *module = &modules[number];
    Channel *channel = &module->channels[index];
    uint8_t handle = (uint8_t)(FIRST_HANDLE + number);
    if (module->is_open && channel->is_open && channel->status_event) {
        channel->status_event = 0;
        call(handle, EVENT_STATUS, (uint8_t)index, module);
    }
    if (!module->is_open || !channel->is_open) return;
    uint32_t arrived = channel->taken + port_count(channel->port);
    if (arrived == channel->announced) return;
    channel->announced = arrived;
    int64_t hidden = hook("hidden_ms", 0);
    if (hidden) channel->hidden_until = now_ns() + hidden * 1000000;
    call(handle, EVENT_RECEIVE, (uint8_t)index, module);
}

static void *run_events(void *argument) {
    pthread_mutex_lock(&lock);
    while (is_running) {
        for (int i = 0; i < MAX_MODULES; i++) {
            if (modules[i].is_open && modules[i].init_events) {
                modules[i].init_events = 0;
                call((uint8_t)(FIRST_HANDLE + i), EVENT_INITHW, 0, &modules[i]);
            }
            for (int channel = 0; channel < 2; channel++) announce(i, channel);
        }
        while (connect_count) {
            uint32_t event = connect_events[--connect_count].event, parameter = connect_events[connect_count].parameter;
            call_connect(event, parameter);
        }
        pthread_mutex_unlock(&lock);
        usleep(1000);
        pthread_mutex_lock(&lock);
    }
    pthread_mutex_unlock(&lock);
    return argument;
}

/* Wait until no callback runs, unless this is one. */
static void wait_for_callbacks(void) { /* with the lock */
    while (is_calling && !in_callback) pthread_cond_wait(&idle, &lock);
}

static void module_opened(int change) {
    pthread_mutex_lock(&lock);
    open_modules += change;
    int starts = open_modules && !is_running, stops = !open_modules && is_running;
    if (starts) {
        is_running = 1;
        pthread_create(&event_thread, NULL, run_events, NULL);
    }
    if (stops) is_running = 0;
    pthread_mutex_unlock(&lock);
    if (stops) pthread_join(event_thread, NULL);
}

/* Let the callback of the connections report an event. */
EXPORT void stub_event(uint32_t event, uint32_t parameter) {
    pthread_mutex_lock(&lock);
    connect_events[connect_count].event = event;
    connect_events[connect_count++].parameter = parameter;
    pthread_mutex_unlock(&lock);
}

/* --- handles --------------------------------------------------------------------------------------------- */

static int begins_to_fail(const char *function, uint8_t *result) {
    if (in_callback) violation("%s: called by a callback", function);
    int64_t status;
    if (!told_to_fail(function, &status)) return 0;
    *result = (uint8_t)status;
    return 1;
}

static Module *module_of(const char *function, uint8_t handle, uint8_t *result) {
    int number = handle - FIRST_HANDLE;
    if (number >= 0 && number < MAX_MODULES && modules[number].is_open) return &modules[number];
    if (number >= 0 && number < MAX_MODULES && modules[number].is_unplugged) *result = DISCONNECTED;
    else {
        violation("%s: handle %d is not open", function, handle);
        *result = ILLHANDLE;
    }
    return NULL;
}

static int has_channel(int channel) { return channel == 0 || (channel == 1 && hook("product", 0x1105) & 1); }

static Channel *channel_of(const char *function, uint8_t handle, uint8_t channel, uint8_t *result) {
    Module *module = module_of(function, handle, result);
    if (!module) return NULL;
    if (channel > 1) {
        violation("%s: channel %d", function, channel);
        *result = ILLCHANNEL;
        return NULL;
    }
    if (module->channels[channel].is_open) return &module->channels[channel];
    violation("%s: channel %d is not initialised", function, channel);
    *result = NOTINIT;
    return NULL;
}

#define BEGIN(function, format, ...)               \
    uint8_t result = OK;                           \
    called(#function format, ##__VA_ARGS__);       \
    if (begins_to_fail(#function, &result)) return result;
#define ON_MODULE(function)                                       \
    Module *module = module_of(#function, handle, &result);       \
    if (!module) return result;
#define ON_CHANNEL(function)                                           \
    Channel *on = channel_of(#function, handle, channel, &result);     \
    if (!on) return result;

/* --- opening --------------------------------------------------------------------------------------------- */

EXPORT uint8_t UcanInitHwConnectControlEx(ConnectCallback callback, void *argument) {
    BEGIN(UcanInitHwConnectControlEx, "")
    if (connect_callback) violation("UcanInitHwConnectControlEx: twice");
    else opened(1);
    pthread_mutex_lock(&lock);
    connect_callback = callback;
    connect_argument = argument;
    pthread_mutex_unlock(&lock);
    return OK;
}

EXPORT uint8_t UcanDeinitHwConnectControl(void) {
    BEGIN(UcanDeinitHwConnectControl, "")
    if (connect_callback) opened(-1);
    else violation("UcanDeinitHwConnectControl: not initialised");
    pthread_mutex_lock(&lock);
    wait_for_callbacks();
    connect_callback = NULL;
    pthread_mutex_unlock(&lock);
    return OK;
}

static uint8_t open_module(uint8_t *handle, int wanted, Callback callback, void *argument) {
    if (!handle || !callback) return ILLPARAM;
    int count = (int)hook("modules", 2), in_use = (int)hook("in_use", -1), found = -1;
    uint8_t result = ILLHW;
    pthread_mutex_lock(&lock);
    for (int i = 0; i < count && i < MAX_MODULES && found < 0; i++) {
        if ((wanted >= 0 && i != wanted) || modules[i].is_unplugged) continue;
        if (modules[i].is_open || i == in_use) result = HWINUSE;
        else found = i;
    }
    if (found >= 0) {
        memset(&modules[found], 0, sizeof modules[found]);
        modules[found].is_open = modules[found].init_events = 1;
        modules[found].callback = callback;
        modules[found].argument = argument;
    }
    pthread_mutex_unlock(&lock);
    if (found < 0) return result;
    *handle = (uint8_t)(FIRST_HANDLE + found);
    opened(1);
    module_opened(1);
    return OK;
}

EXPORT uint8_t UcanInitHardwareEx(uint8_t *handle, uint8_t number, Callback callback, void *argument) {
    BEGIN(UcanInitHardwareEx, " %d", number)
    return open_module(handle, number == 255 ? -1 : number, callback, argument);
}

EXPORT uint8_t UcanInitCanEx2(uint8_t handle, uint8_t channel, const InitCanParam *parameters) {
    char text[2 * sizeof *parameters + 1] = "NULL";
    for (size_t i = 0; parameters && i < sizeof *parameters; i++)
        snprintf(text + 2 * i, 3, "%02x", ((const uint8_t *)parameters)[i]);
    BEGIN(UcanInitCanEx2, " %d %d %s", handle, channel, text)
    if (handle < FIRST_HANDLE || handle >= FIRST_HANDLE + MAX_MODULES || !modules[handle - FIRST_HANDLE].is_open) {
        violation("UcanInitCanEx2: handle %d is not open", handle);
        return CANNOTINIT;
    }
    if (!parameters || (parameters->m_dwSize != 24 && parameters->m_dwSize != 20)) return ILLPARAM;
    if (!has_channel(channel)) return ILLCHANNEL;
    Channel *on = &modules[handle - FIRST_HANDLE].channels[channel];
    if (on->is_open) return ALREADYINIT;
    if (parameters->m_dwBaudrate) violation("UcanInitCanEx2: the code of a bit rate");
    if (parameters->m_bMode & ~(LISTEN_ONLY | TX_ECHO | HIGH_RES_TIMER)) violation("UcanInitCanEx2: mode %x", parameters->m_bMode);
    uint32_t quanta = 3u + (parameters->m_bBTR1 & 0xF) + (parameters->m_bBTR1 >> 4 & 7);
    uint32_t bitrate = 8000000u / ((parameters->m_bBTR0 & 0x3Fu) + 1) / quanta;
    pthread_mutex_lock(&lock);
    memset(on, 0, sizeof *on);
    on->parameters = *parameters;
    on->amr = parameters->m_dwAMR;
    on->acr = parameters->m_dwACR;
    on->port = port_open("can", parameters->m_wNrOfRxBufferEntries, bitrate, 0);
    on->is_open = 1;
    pthread_mutex_unlock(&lock);
    opened(1);
    return OK;
}

EXPORT uint8_t UcanDeinitCanEx(uint8_t handle, uint8_t channel) {
    uint8_t result = OK;
    called("UcanDeinitCanEx %d %d", handle, channel);
    uint8_t failure = OK;
    begins_to_fail("UcanDeinitCanEx", &failure); /* a failure that is reported after the fact */
    ON_CHANNEL(UcanDeinitCanEx)
    pthread_mutex_lock(&lock);
    wait_for_callbacks();
    on->is_open = 0;
    pthread_mutex_unlock(&lock);
    port_close(on->port);
    opened(-1);
    return failure;
}

EXPORT uint8_t UcanDeinitHardware(uint8_t handle) {
    uint8_t result = OK, failure = OK;
    called("UcanDeinitHardware %d", handle);
    begins_to_fail("UcanDeinitHardware", &failure);
    ON_MODULE(UcanDeinitHardware)
    if (module->channels[0].is_open || module->channels[1].is_open) violation("UcanDeinitHardware: a channel is open");
    pthread_mutex_lock(&lock);
    wait_for_callbacks();
    module->is_open = 0;
    module->callback = NULL;
    pthread_mutex_unlock(&lock);
    opened(-1);
    module_opened(-1);
    return failure;
}

/* --- receiving ------------------------------------------------------------------------------------------- */

static uint32_t counter(int64_t time, int is_fine) {
    int64_t ticks = time / (is_fine ? 100000 : 1000000) + hook("clock", 0);
    return (uint32_t)(ticks & ((INT64_C(1) << hook("clock_bits", 32)) - 1));
}

static int is_accepted(const Channel *on, const Record *record) {
    uint32_t remote = record->flags & FLAG_REMOTE ? 1 : 0;
    uint32_t value = record->flags & FLAG_EXTENDED ? (record->id << 3) + (remote << 2) : (record->id << 21) + (remote << 20);
    return (~(value ^ on->acr) | on->amr) == 0xFFFFFFFF;
}

/* Take the next frame that passes the filter; return whether there is one. */
static int take(Channel *on, CanMsg *message) {
    Record record;
    if (on->hidden_until && now_ns() < on->hidden_until) return 0;
    while (port_take(on->port, &record)) {
        on->taken++;
        if (record.kind != KIND_FRAME) { /* another bit rate on the bus */
            on->status |= BUSHEAVY;
            on->status_event = 1;
            continue;
        }
        if (!is_accepted(on, &record)) continue;
        message->m_dwID = record.id;
        message->m_bFF = (uint8_t)((record.flags & FLAG_EXTENDED ? EXTENDED : STANDARD) | (record.flags & FLAG_REMOTE ? REMOTE : 0) |
                                   (record.flags & FLAG_ECHO ? ECHO : 0));
        message->m_bDLC = record.length;
        memcpy(message->m_bData, record.data, 8);
        message->m_dwTime = counter(record.time_ns ? record.time_ns : now_ns(), on->parameters.m_bMode & HIGH_RES_TIMER);
        on->received++;
        return 1;
    }
    return 0;
}

EXPORT uint8_t UcanReadCanMsgEx(uint8_t handle, uint8_t *at, CanMsg *messages, uint32_t *count) {
    uint8_t result = OK;
    called("UcanReadCanMsgEx %d %d %u", handle, at ? *at : -1, count ? *count : 1);
    int fails = begins_to_fail("UcanReadCanMsgEx", &result);
    if (fails && result <= WARNING) return result; /* later warnings come with frames */
    if (!at || !messages) return ILLPARAM;
    uint8_t failure = OK;
    uint32_t room = count ? *count : 1, found = 0;
    pthread_mutex_lock(&lock); /* unplugging closes the port */
    Channel *on = channel_of("UcanReadCanMsgEx", handle, *at, &failure);
    while (on && found < room && take(on, &messages[found])) found++;
    if (on && !fails && ports[on->port].overrun) {
        ports[on->port].overrun = 0;
        result = RXOVERRUN;
    }
    pthread_mutex_unlock(&lock);
    if (!on) return failure;
    if (count) *count = found;
    return found ? result : NODATA;
}

EXPORT uint8_t UcanGetMsgPending(uint8_t handle, uint8_t channel, uint32_t flags, uint32_t *count) {
    BEGIN(UcanGetMsgPending, " %d %d %x", handle, channel, flags)
    ON_CHANNEL(UcanGetMsgPending)
    int is_hidden = on->hidden_until && now_ns() < on->hidden_until;
    *count = (flags & 1 && !is_hidden ? port_count(on->port) : 0) + (flags & 0x10 ? on->queued : 0);
    return OK;
}

EXPORT uint8_t UcanSetAcceptanceEx(uint8_t handle, uint8_t channel, uint32_t amr, uint32_t acr) {
    BEGIN(UcanSetAcceptanceEx, " %d %d %08x %08x", handle, channel, amr, acr)
    ON_CHANNEL(UcanSetAcceptanceEx)
    on->amr = amr;
    on->acr = acr;
    return OK;
}

/* --- sending --------------------------------------------------------------------------------------------- */

static void transmit(Channel *on, const CanMsg *message) {
    Record record = {.magic = MAGIC, .kind = KIND_FRAME, .length = message->m_bDLC, .id = message->m_dwID, .time_ns = now_ns()};
    record.flags = (uint8_t)((message->m_bFF & EXTENDED ? FLAG_EXTENDED : 0) | (message->m_bFF & REMOTE ? FLAG_REMOTE : 0));
    memcpy(record.data, message->m_bData, 8);
    port_send(on->port, record);
    on->sent++;
    record.flags |= FLAG_ECHO;
    if (on->parameters.m_bMode & TX_ECHO) port_put(&ports[on->port], &record);
}

EXPORT uint8_t UcanWriteCanMsgEx(uint8_t handle, uint8_t channel, const CanMsg *messages, uint32_t *count) {
    uint8_t result = OK;
    called("UcanWriteCanMsgEx %d %d %u", handle, channel, count ? *count : 1);
    int fails = begins_to_fail("UcanWriteCanMsgEx", &result);
    if (fails && (result <= WARNING || result == TXLIMIT)) {
        if (result == TXLIMIT && count) *count = 0;
        return result;
    }
    if (!messages) return ILLPARAM;
    uint8_t failure = OK;
    pthread_mutex_lock(&lock);
    Channel *on = channel_of("UcanWriteCanMsgEx", handle, channel, &failure);
    if (!on) {
        pthread_mutex_unlock(&lock);
        return failure;
    }
    uint32_t wanted = count ? *count : 1, done = 0;
    uint32_t room = on->parameters.m_wNrOfTxBufferEntries < QUEUE ? on->parameters.m_wNrOfTxBufferEntries : QUEUE;
    int is_stalled = hook("stalled", 0) || on->parameters.m_bMode & LISTEN_ONLY || on->status & BUSOFF;
    if (!is_stalled)
        for (uint32_t i = 0; i < on->queued; i++) transmit(on, &on->queue[i]);
    if (!is_stalled) on->queued = 0;
    for (; done < wanted; done++) {
        const CanMsg *message = &messages[done];
        if (message->m_bFF & ~(EXTENDED | REMOTE)) violation("UcanWriteCanMsgEx: format %x", message->m_bFF);
        if (message->m_bDLC > 8) violation("UcanWriteCanMsgEx: DLC %d", message->m_bDLC);
        if (message->m_dwID > (message->m_bFF & EXTENDED ? 0x1FFFFFFFu : 0x7FFu)) violation("UcanWriteCanMsgEx: id %x", message->m_dwID);
        if (!is_stalled) transmit(on, message);
        else if (on->queued < room) on->queue[on->queued++] = *message;
        else break;
    }
    pthread_mutex_unlock(&lock);
    if (count) *count = done;
    return done == wanted ? result : done ? TXLIMIT : TXFULL;
}

EXPORT uint8_t UcanSetTxTimeout(uint8_t handle, uint8_t channel, uint32_t milliseconds) {
    BEGIN(UcanSetTxTimeout, " %d %d %u", handle, channel, milliseconds)
    ON_CHANNEL(UcanSetTxTimeout)
    on->tx_timeout = milliseconds;
    return OK;
}

EXPORT uint8_t UcanResetCanEx(uint8_t handle, uint8_t channel, uint32_t flags) {
    BEGIN(UcanResetCanEx, " %d %d %x", handle, channel, flags)
    ON_CHANNEL(UcanResetCanEx)
    if (!(flags & 0x1)) on->status = 0;
    if (!(flags & 0x2)) on->tx_errors = on->rx_errors = 0;
    if (!(flags & 0x10)) on->queued = 0;
    if (!(flags & 0x100)) {
        on->taken += port_count(on->port);
        port_clear(on->port);
    }
    return OK;
}

/* --- information ----------------------------------------------------------------------------------------- */

static void describe(int number, HardwareInfoEx *info) {
    HardwareInfoEx all = {
        .m_UcanHandle = modules[number].is_open ? (uint8_t)(FIRST_HANDLE + number) : 0xFF,
        .m_bDeviceNr = (uint8_t)number,
        .m_dwSerialNr = 1000000u + (uint32_t)number,
        .m_dwFwVersionEx = 0x00020305,
        .m_dwProductCode = (uint32_t)hook("product", 0x1105),
        .m_dwFlags = 0x80000001,
    };
    uint32_t size = info->m_dwSize;
    memcpy((uint8_t *)info + 4, (uint8_t *)&all + 4, size - 4);
}

EXPORT uint8_t UcanGetHardwareInfoEx2(uint8_t handle, HardwareInfoEx *info, ChannelInfo *first, ChannelInfo *second) {
    BEGIN(UcanGetHardwareInfoEx2, " %d", handle)
    ON_MODULE(UcanGetHardwareInfoEx2)
    if (!info || (info->m_dwSize != 18 && info->m_dwSize != 34 && info->m_dwSize != 38)) return ILLPARAM;
    describe(handle - FIRST_HANDLE, info);
    for (int i = 0; i < 2; i++) {
        ChannelInfo *channel = i ? second : first;
        if (!channel) continue;
        if (channel->m_dwSize != 26) return ILLPARAM;
        channel->m_fCanIsInit = module->channels[i].is_open;
        channel->m_wCanStatus = module->channels[i].status;
    }
    return OK;
}

EXPORT uint8_t UcanGetStatusEx(uint8_t handle, uint8_t channel, Status *status) {
    BEGIN(UcanGetStatusEx, " %d %d", handle, channel)
    ON_CHANNEL(UcanGetStatusEx)
    status->m_wCanStatus = on->status;
    status->m_wUsbStatus = 0;
    return OK;
}

#ifndef NO_OPTIONAL
EXPORT uint8_t UcanInitHardwareEx2(uint8_t *handle, uint32_t serial, Callback callback, void *argument) {
    BEGIN(UcanInitHardwareEx2, " %u", serial)
    if (serial < 1000000) return ILLHW;
    return open_module(handle, (int)(serial - 1000000), callback, argument);
}

EXPORT uint8_t UcanGetModuleTime(uint8_t handle, uint32_t *time) {
    BEGIN(UcanGetModuleTime, " %d", handle)
    ON_MODULE(UcanGetModuleTime)
    (void)module;
    *time = counter(now_ns(), 0);
    return OK;
}

EXPORT uint8_t UcanGetMsgCountInfoEx(uint8_t handle, uint8_t channel, MsgCountInfo *info) {
    BEGIN(UcanGetMsgCountInfoEx, " %d %d", handle, channel)
    ON_CHANNEL(UcanGetMsgCountInfoEx)
    info->m_wSentMsgCount = (uint16_t)on->sent;
    info->m_wRecvdMsgCount = (uint16_t)on->received;
    return OK;
}

EXPORT uint8_t UcanGetMsgCountInfoEx2(uint8_t handle, uint8_t channel, MsgCountInfo2 *info) {
    BEGIN(UcanGetMsgCountInfoEx2, " %d %d", handle, channel)
    ON_CHANNEL(UcanGetMsgCountInfoEx2)
    info->m_dwSentMsgCount = on->sent;
    info->m_dwRecvdMsgCount = on->received;
    return OK;
}

EXPORT uint8_t UcanGetCanErrorCounter(uint8_t handle, uint8_t channel, uint32_t *tx_errors, uint32_t *rx_errors) {
    BEGIN(UcanGetCanErrorCounter, " %d %d", handle, channel)
    ON_CHANNEL(UcanGetCanErrorCounter)
    *tx_errors = on->tx_errors;
    *rx_errors = on->rx_errors;
    return OK;
}

EXPORT uint8_t UcanSetBaudrateEx(uint8_t handle, uint8_t channel, uint8_t btr0, uint8_t btr1, uint32_t baudrate) {
    BEGIN(UcanSetBaudrateEx, " %d %d %02x %02x %x", handle, channel, btr0, btr1, baudrate)
    ON_CHANNEL(UcanSetBaudrateEx)
    (void)on;
    return OK;
}

EXPORT int32_t UcanSetDebugMode(uint32_t level, const void *path, uint32_t flags) { return level && path && !flags; }
EXPORT uint32_t UcanGetVersionEx(uint32_t type) { return type == 1 ? 0x00010006 : 0; }
EXPORT uint32_t UcanGetFwVersion(uint8_t handle) {
    uint8_t result;
    return module_of("UcanGetFwVersion", handle, &result) ? 0x00020305 : 0;
}

/* All cyclic frames of a channel have one period, which no caller of this library needs. */
EXPORT uint8_t UcanDefineCyclicCanMsg(uint8_t handle, uint8_t channel, const CanMsg *messages, uint32_t count) {
    violation("UcanDefineCyclicCanMsg %d %d %d %u", handle, channel, messages != NULL, count);
    return OK;
}
EXPORT uint8_t UcanReadCyclicCanMsg(uint8_t handle, uint8_t channel, CanMsg *messages, uint32_t *count) {
    violation("UcanReadCyclicCanMsg %d %d %d %u", handle, channel, messages != NULL, count ? *count : 0);
    return OK;
}
EXPORT uint8_t UcanEnableCyclicCanMsg(uint8_t handle, uint8_t channel, uint32_t flags) {
    violation("UcanEnableCyclicCanMsg %d %d %x", handle, channel, flags);
    return OK;
}

/* One structure serves all modules, and is overwritten after each call of the callback. */
EXPORT uint32_t UcanEnumerateHardware(EnumCallback callback, void *argument, int32_t used, uint8_t low, uint8_t high,
                                      uint32_t serial_low, uint32_t serial_high, uint32_t product_low, uint32_t product_high) {
    called("UcanEnumerateHardware %d %d %d %x %x %x %x", used, low, high, serial_low, serial_high, product_low, product_high);
    static HardwareInfoEx info;
    static HardwareInitInfo init;
    uint32_t index = 0;
    int count = (int)hook("modules", 2);
    for (int i = 0; i < count && i < MAX_MODULES; i++) {
        int is_used = modules[i].is_open || i == hook("in_use", -1);
        if ((is_used && !used) || modules[i].is_unplugged || i < low || i > high) continue;
        memset(&init, 0, sizeof init);
        init.m_dwSize = sizeof init;
        info.m_dwSize = sizeof info;
        describe(i, &info);
        if (info.m_dwSerialNr < serial_low || info.m_dwSerialNr > serial_high) continue;
        if (info.m_dwProductCode < product_low || info.m_dwProductCode > product_high) continue;
        callback(index++, is_used, &info, &init, argument);
        int goes_on = init.m_fTryNext;
        if (init.m_fDoInitialize) violation("UcanEnumerateHardware: asked to initialise");
        memset(&info, 0xEE, sizeof info);
        memset(&init, 0xEE, sizeof init);
        if (!goes_on) break;
    }
    return index;
}
#endif

/* --- the kit's ------------------------------------------------------------------------------------------- */

static void library_reset(void) {
    for (int i = 0; i < MAX_MODULES; i++) {
        Module *module = &modules[i];
        for (int j = 0; j < 2; j++)
            if (module->is_open && module->channels[j].is_open) {
                pthread_mutex_lock(&lock);
                module->channels[j].is_open = 0;
                pthread_mutex_unlock(&lock);
                port_close(module->channels[j].port);
            }
        module->is_open = module->is_unplugged = 0;
    }
    if (open_modules) module_opened(-open_modules); /* an unplugged one counts: its event may be on the way */
    connect_callback = NULL;
    connect_count = 0;
}

static int64_t library_layout(const char *structure, const char *field) {
    LAYOUT(CanMsg) FIELD(CanMsg, m_dwID) FIELD(CanMsg, m_bFF) FIELD(CanMsg, m_bDLC) FIELD(CanMsg, m_bData)
    FIELD(CanMsg, m_dwTime)
    LAYOUT(Status) FIELD(Status, m_wCanStatus) FIELD(Status, m_wUsbStatus)
    LAYOUT(InitCanParam) FIELD(InitCanParam, m_dwSize) FIELD(InitCanParam, m_bMode) FIELD(InitCanParam, m_bBTR0)
    FIELD(InitCanParam, m_bBTR1) FIELD(InitCanParam, m_bOCR) FIELD(InitCanParam, m_dwAMR) FIELD(InitCanParam, m_dwACR)
    FIELD(InitCanParam, m_dwBaudrate) FIELD(InitCanParam, m_wNrOfRxBufferEntries)
    FIELD(InitCanParam, m_wNrOfTxBufferEntries)
    LAYOUT(HardwareInfoEx) FIELD(HardwareInfoEx, m_dwSize) FIELD(HardwareInfoEx, m_UcanHandle)
    FIELD(HardwareInfoEx, m_bDeviceNr) FIELD(HardwareInfoEx, m_dwSerialNr) FIELD(HardwareInfoEx, m_dwFwVersionEx)
    FIELD(HardwareInfoEx, m_dwProductCode) FIELD(HardwareInfoEx, m_dwUniqueId0) FIELD(HardwareInfoEx, m_dwUniqueId1)
    FIELD(HardwareInfoEx, m_dwUniqueId2) FIELD(HardwareInfoEx, m_dwUniqueId3) FIELD(HardwareInfoEx, m_dwFlags)
    LAYOUT(ChannelInfo) FIELD(ChannelInfo, m_dwSize) FIELD(ChannelInfo, m_bMode) FIELD(ChannelInfo, m_bBTR0)
    FIELD(ChannelInfo, m_bBTR1) FIELD(ChannelInfo, m_bOCR) FIELD(ChannelInfo, m_dwAMR) FIELD(ChannelInfo, m_dwACR)
    FIELD(ChannelInfo, m_dwBaudrate) FIELD(ChannelInfo, m_fCanIsInit) FIELD(ChannelInfo, m_wCanStatus)
    LAYOUT(MsgCountInfo) FIELD(MsgCountInfo, m_wSentMsgCount) FIELD(MsgCountInfo, m_wRecvdMsgCount)
    LAYOUT(MsgCountInfo2) FIELD(MsgCountInfo2, m_dwSentMsgCount) FIELD(MsgCountInfo2, m_dwRecvdMsgCount)
    LAYOUT(HardwareInitInfo) FIELD(HardwareInitInfo, m_dwSize) FIELD(HardwareInitInfo, m_fDoInitialize)
    FIELD(HardwareInitInfo, m_pUcanHandle) FIELD(HardwareInitInfo, m_fpCallbackFktEx)
    FIELD(HardwareInitInfo, m_pCallbackArg) FIELD(HardwareInitInfo, m_fTryNext)
    return -1;
}

static int library_inject(int32_t channel, const Record *record) {
    if (channel < 0 || channel >= 2 * MAX_MODULES) return -1;
    Channel *on = &modules[channel / 2].channels[channel % 2];
    if (!modules[channel / 2].is_open || !on->is_open) return -1;
    if (record->kind == KIND_STATE || record->kind == KIND_ERROR) {
        pthread_mutex_lock(&lock);
        on->status = (uint16_t)record->code;
        on->tx_errors = record->data[0];
        on->rx_errors = record->data[1];
        on->status_event = 1;
        pthread_mutex_unlock(&lock);
        return 0;
    }
    Record copy = *record;
    if (!copy.time_ns) copy.time_ns = now_ns();
    port_put(&ports[on->port], &copy);
    return 0;
}

/* The library closes what an unplugged module had open; the handle cannot be used any more. */
static void library_unplug(int32_t device) {
    for (int i = 0; i < MAX_MODULES; i++) {
        Module *module = &modules[i];
        if ((device >= 0 && device != i) || !module->is_open) continue;
        pthread_mutex_lock(&lock);
        int open[2] = {module->channels[0].is_open, module->channels[1].is_open};
        module->is_unplugged = 1;
        module->is_open = module->channels[0].is_open = module->channels[1].is_open = 0;
        pthread_mutex_unlock(&lock);
        for (int j = 0; j < 2; j++)
            if (open[j]) port_close(module->channels[j].port);
        opened(-1 - open[0] - open[1]);
        stub_event(EVENT_FATALDISCON, (uint32_t)(FIRST_HANDLE + i));
    }
}
