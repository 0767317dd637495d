;; Power-on, the main loop and the table of modes.
.include "pillduel.inc"

.segment "CODE"

;; Bring the console from any power-on state to the title.
;; RAM is cleared, so nothing depends on what it held; the RNG gets its fixed seed.
;; in: - | out: never returns | cycles: about two frames
.proc reset
    sei
    cld
    ldx #$FF
    txs
    inx                         ; X = 0
    stx PPU_CTRL
    stx PPU_MASK
    stx APU_DMC
    lda #APU_FRAME_NO_IRQ
    sta APU_FRAME
    bit PPU_STATUS
:   bit PPU_STATUS              ; the PPU ignores writes for about a frame
    bpl :-
    lda #0
:   sta $0000,x
    sta $0100,x
    sta $0200,x
    sta $0300,x
    sta $0400,x
    sta $0500,x
    sta $0600,x
    sta $0700,x
    inx
    bne :-
:   bit PPU_STATUS
    bpl :-
    jsr set_boot_values
    jsr sound_init
    lda #PPU_CTRL_NMI
    sta PPU_CTRL
    jmp main_loop
.endproc

RNG_SEED_HIGH = $89
RNG_SEED_LOW  = $88

;; Write the values that differ from zero at power-on.
;; in: - | out: - | clobbers: A | cycles: 60
.proc set_boot_values
    lda #RNG_SEED_HIGH
    sta RNG_HIGH
    lda #RNG_SEED_LOW
    sta RNG_LOW
    lda #SPEED_MED
    sta PLAYER1 + P_SPEED
    sta PLAYER2 + P_SPEED
    lda #CROWNS_TO_WIN
    sta CROWNS_NEEDED
    lda #2
    sta NUM_PLAYERS
    lda #STATUS_IDLE
    sta PLAYER1 + P_STATUS
    sta PLAYER2 + P_STATUS
    lda #1
    sta video_locked
    rts
.endproc

;; Run one frame of the current mode after every NMI, for ever. What is left of a frame goes
;; to the decisions of the CPU, if a seat waits for one.
;; in: - | out: never returns | cycles: up to 27,000 a frame
.proc main_loop
    lda NMI_DONE
    bne frame
    jsr cpu_think
    jmp main_loop
frame:
    lda #0
    sta NMI_DONE
    jsr run_frame
    jmp main_loop
.endproc

;; One frame of the game.
;; in: MODE | out: - | clobbers: A, X, Y | cycles: up to 27,000
.proc run_frame
    jsr run_mode
    jmp sound_frame
.endproc

;; Jump to the handler of MODE.
;; in: MODE | out: - | clobbers: A, X, Y | cycles: 24 + handler
.proc run_mode
    ldx MODE
    lda mode_high,x
    pha
    lda mode_low,x
    pha
    rts                         ; "returns" into the handler
.endproc

.define MODE_HANDLERS title_mode-1, options_mode-1, load_mode-1, setup_mode-1, play_mode-1, top_out_mode-1, end_mode-1, end_mode-1, intro_mode-1

.segment "RODATA"
mode_low:  .lobytes MODE_HANDLERS
mode_high: .hibytes MODE_HANDLERS
